"""How open boards learn that something happened: a number per Revision that only goes up."""

from django.db.models import F

from .models import Article, Revision, Row


def touch(revision: Revision, *clauses: Row | Article, is_news: bool = True) -> int:
    """Count one more thing done about a draft, and note it on the ``clauses`` it was about.

    Called by every verb on a draft, under its lock and in its transaction. Returns the count.
    Open boards show all of it; what ``is_news`` marks the clauses as new to who has not looked.
    """
    Revision.objects.filter(pk=revision.pk).update(activity=F("activity") + 1)
    count = Revision.objects.values_list("activity", flat=True).get(pk=revision.pk)
    revision.activity = count
    for model in (Row, Article):
        ids = [one.pk for one in clauses if isinstance(one, model)]
        if ids:
            counted = {"activity": count, "news": count} if is_news else {"activity": count}
            model._default_manager.filter(pk__in=ids).update(**counted)
    for one in clauses:
        one.activity = count
        if is_news:
            one.news = count
    return count
