"""What the pages of people share: who reads, which day it is, and how refusals are shown."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ..calendar import company_date
from ..errors import NotYourOffice
from ..models import Person

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def reader_of(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def today() -> date:
    """The company's date now."""
    return company_date(timezone.now())


def signed_in(view: "View[P]") -> "View[P]":
    """Sign-in needed; what the reader's Offices do not allow is told on the page for refusals."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotYourOffice as refused:
            raise PermissionDenied(str(refused)) from refused

    return cast("View[P]", login_required(guarded))
