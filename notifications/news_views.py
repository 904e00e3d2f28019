"""The reader's own news: a list, the way from a notice to its place, all read at once."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from people.models import Person

from .models import Notice
from .news import read_at_place

PER_PAGE = 25


@require_safe
@login_required
def listed(request: HttpRequest) -> HttpResponse:
    """Everything the reader was told, newest first; ``?show=unread`` leaves out what was read."""
    notices = Notice.objects.filter(person=cast(Person, request.user))
    unread = notices.filter(read_at__isnull=True)
    only_unread = request.GET.get("show") == "unread"
    page = Paginator(unread if only_unread else notices, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "notifications/news.html",
        {
            "page": page,
            "section": "news",
            "only_unread": only_unread,
            **unread.aggregate(unread=Count("pk"), newest=Max("pk")),
        },
    )


@require_safe
@login_required
def followed(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to where it happened; what is new there is read by that."""
    notice = get_object_or_404(Notice, pk=pk, person=cast(Person, request.user))
    read_at_place(notice.person, [notice.path], at=timezone.now())
    return HttpResponseRedirect(notice.path)


@require_POST
@login_required
def all_read(request: HttpRequest) -> HttpResponse:
    """Mark all as read: what came after the page was shown stays new."""
    mine = Notice.objects.filter(person=cast(Person, request.user), read_at__isnull=True)
    until = request.POST.get("until", "")
    if until.isdecimal() and len(until) < 19:
        mine = mine.filter(pk__lte=int(until))
    count = mine.update(read_at=timezone.now())
    if count:
        messages.success(request, f"{count} marked as read.")
    return redirect("news:list")
