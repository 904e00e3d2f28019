from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        from . import protection
        from .models import ERASING_EVENT

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
        protection.append_only("audit_erasedtext", keys=["sequence"])
        protection.refuse(
            "audit_erasedtext",
            name="told",
            on=("INSERT",),
            when=(  # names from code, no input
                "NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.sequence = NEW.erased_by"  # noqa: S608
                f" AND e.event = '{ERASING_EVENT}' AND e.sequence > NEW.sequence)"
            ),
            message="an erasure is told of by a later event of the log",
        )
        protection.refuse(
            "audit_personaltext",
            name="erased_knowingly",
            on=("DELETE",),
            when="NOT EXISTS (SELECT 1 FROM audit_erasedtext t WHERE t.sequence = OLD.sequence)",
            message="a text is deleted only by an erasure",
        )
        protection.refuse(
            "audit_personaltext",
            name="kept",
            on=("TRUNCATE",),
            message="texts are erased one by one",
        )
        protection.refuse(
            "audit_personaltext",
            name="stays_erased",
            on=("INSERT",),
            when="EXISTS (SELECT 1 FROM audit_erasedtext t WHERE t.sequence = NEW.sequence)",
            message="an erased text does not come back",
        )
        protection.append_only("audit_checkpoint", keys=["size"])
        protection.append_only("audit_logcheck", keys=["id", "day"])
        # With this app as sender each runs once per migrate, whichever app is migrated.
        pre_migrate.connect(protection.before_migrating, sender=self)
        post_migrate.connect(protection.after_migrating, sender=self)
