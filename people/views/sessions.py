"""Ending one's other sessions."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from .. import sessions
from ..errors import Refused
from ..origin import address_of
from .frame import reader_of, signed_in


@require_POST
@signed_in
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else."""
    reader = reader_of(request)
    ended = sessions.sign_out_everywhere_else(
        person=reader,
        session_key=str(request.session.session_key),
        acting_user=reader,
        at=timezone.now(),
        ip=address_of(request),
    )
    if ended == 0:
        messages.info(request, "You are signed in nowhere else.")
    elif ended == 1:
        messages.success(request, "You are signed out on the one other device.")
    else:
        messages.success(request, f"You are signed out on {ended} other devices.")
    return _back()


@require_POST
@signed_in
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one other session."""
    reader = reader_of(request)
    try:
        device = sessions.end_one(
            person=reader,
            pk=pk,
            session_key=str(request.session.session_key),
            acting_user=reader,
            at=timezone.now(),
            ip=address_of(request),
        )
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, f"{device} is signed out.")
    return _back()


def _back() -> HttpResponse:
    return redirect(f"{reverse('people:account')}#sessions")
