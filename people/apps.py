from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = "People"

    def ready(self) -> None:
        from allauth.account import signals as account
        from allauth.mfa import signals as factors
        from allauth.usersessions.signals import on_user_logged_in
        from django.contrib.auth.signals import user_logged_in

        from . import protections, sessions, sign_in_events

        protections.register()
        user_logged_in.connect(sessions.begin, dispatch_uid="people.sessions")
        factors.authentication_failed.connect(
            sign_in_events.on_factor_failed, dispatch_uid="people.sign_in_events"
        )
        # It opens each session that a person ever left behind, one by one.
        account.user_logged_in.disconnect(on_user_logged_in)
