from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = "People"

    def ready(self) -> None:
        from audit import protection

        # History is never rewritten: an appointment may be given its end, once.
        protection.never_deleted("people_appointment")
        protection.frozen_columns(
            "people_appointment",
            [
                "person_id",
                "office_id",
                "starts_on",
                "acting",
                "instrument",
                "exclusive",
                "recorded_by_id",
                "recorded_at",
            ],
            write_once=["ends_on"],
        )
