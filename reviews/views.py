"""What is to be reviewed, by when, and who takes part."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from people.calendar import company_date
from people.errors import Refused
from people.models import Person
from people.permissions import Act, may

from . import queries, workflow
from .models import Review

PER_PAGE = 20


@require_safe
@login_required
def review_list(request: HttpRequest) -> HttpResponse:
    """Every open review and the next twelve months."""
    today = company_date(timezone.now())
    page = Paginator(queries.open_reviews(), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "reviews",
        "page": page,
        "lines": queries.lines(page.object_list, today=today),
        "late_count": Review.objects.open().filter(due_date__lt=today).count(),
        "months": queries.next_twelve_months(today=today),
        "may_remind": may(cast(Person, request.user), Act.REMIND, on=today),
    }
    return render(request, "reviews/list.html", context)


@require_POST
@login_required
def remind(request: HttpRequest, pk: int) -> HttpResponse:
    """Remind the others who take part in a review."""
    review = get_object_or_404(Review.objects.select_related("document"), pk=pk)
    try:
        count = workflow.remind_now(
            review=review, acting_user=cast(Person, request.user), at=timezone.now()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        people = "1 person" if count == 1 else f"{count} people"
        messages.success(request, f"{people} reminded of the {review}.")
    return redirect("reviews:list")
