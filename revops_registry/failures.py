"""The page of a server error: a reference to quote, found again in the log."""

import logging
import secrets

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database; Django has logged the traceback before."""
    reference = secrets.token_hex(4)
    logger.error("The failure just logged at %s has the reference %s", request.path, reference)
    return HttpResponseServerError(render_to_string("500.html", {"reference": reference}))
