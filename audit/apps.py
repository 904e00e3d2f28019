from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        from . import protection

        protection.append_only("audit_event", keys=["sequence"])
        protection.never_deleted("audit_loghead")
        protection.refuse(
            "audit_loghead",
            name="only_grows",
            on=("UPDATE",),
            when="NEW.size <> OLD.size + 1",
            message="the log grows by one event at a time",
        )
        # The text may be erased whole, never reworded.
        protection.frozen_columns(
            "audit_personaltext", ["sequence", "salt", "text"], keys=["sequence"]
        )
        # With this app as sender each runs once per migrate, whichever app is migrated.
        pre_migrate.connect(protection.before_migrating, sender=self)
        post_migrate.connect(protection.after_migrating, sender=self)
