from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from people.signals import mail_due

        from .mail import on_mail_due

        mail_due.connect(on_mail_due, dispatch_uid="notifications.mail")
