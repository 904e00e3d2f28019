"""What a drafting board shows hundreds of times, made once."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from boundaries.standing import ClauseStanding
from people.offices import office_short

register = template.Library()

# (Office, how it is named, state) of each party; the name is there so that a new one is drawn anew.
Chips = tuple[tuple[str, str, str], ...]


@lru_cache(maxsize=1024)
def _chips(chips: Chips) -> SafeString:
    said = [{"office": office, "state": state} for office, _, state in chips]
    return render_to_string("boundaries/_chips.html", {"chips": said})


@register.simple_tag
def chips(standing: ClauseStanding) -> SafeString:
    """The agreement chips of a row or article: there are few kinds, so each is rendered once."""
    return _chips(
        tuple((one.office, office_short(one.office), one.state) for one in standing.stances)
    )
