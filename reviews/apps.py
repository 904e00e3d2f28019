from datetime import datetime

from django.apps import AppConfig


def _schedule(revision: object, at: datetime, **_: object) -> None:
    from boundaries.models import Revision

    from . import workflow

    if not isinstance(revision, Revision):
        raise TypeError(f"a Revision comes in force, not {revision!r}")
    workflow.schedule(revision=revision, at=at)


class ReviewsConfig(AppConfig):
    name = "reviews"
    verbose_name = "Reviews"

    def ready(self) -> None:
        from audit import protection
        from boundaries.signals import revision_in_force

        protection.never_deleted("reviews_review")
        protection.frozen_columns(
            "reviews_review",
            ["document_id", "kind", "created_at"],
            write_once=["closed_at", "closed_reason"],
        )
        revision_in_force.connect(_schedule, dispatch_uid="reviews.schedule")

        from . import event_words, panels

        panels.register()
        event_words.register()
