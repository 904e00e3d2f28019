"""A comparison as a PDF to print or send. It is made when asked for and kept nowhere."""

import logging
import threading
from datetime import datetime

from people.offices import office_short
from people.templatetags.speech import moment_words
from sealing import comparison
from sealing.errors import RenderFailed

from . import comparing
from .versions import Compared, is_frozen

log = logging.getLogger(__name__)

# Each is made by a process of its own, for a second or more: a web server makes few at once.
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 10


class CannotBeMade(Exception):
    """There is no PDF now; the sentence says why and what to do."""


def make(compared: Compared, *, at: datetime) -> bytes:
    """The redline of two versions as PDF bytes. Raises ``CannotBeMade``."""
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
        raise CannotBeMade("Other PDFs are being made right now. Try again in a minute.")
    try:
        return comparison.render_comparison(_data(compared, at=at))
    except RenderFailed as failure:
        log.error("No redline of %s and %s: %s", compared.before, compared.after, failure)
        raise CannotBeMade(str(failure)) from failure
    finally:
        _AT_ONCE.release()


def _data(compared: Compared, *, at: datetime) -> dict[str, object]:
    result = compared.result
    offices = {
        key for one in result.rows for key in (one.owner_before, one.owner_after) if one.changed
    }
    return comparing.as_data(result, short=True) | {
        "organisation": compared.after_content["organisation"],
        "document": compared.after_content["document"]["number"],
        "title": compared.after_content["document"]["title"],
        "before": result.before,
        "after": result.after,
        "sentences": compared.sentences,
        "made": moment_words(at),
        "draft": not (is_frozen(compared.before) and is_frozen(compared.after)),
        "names": {key: office_short(key) for key in offices if key},
    }
