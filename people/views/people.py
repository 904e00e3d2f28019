"""Who has an account, and what the Administrator does to one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from .. import accounts, lost_factors, password_links
from ..errors import NotYourOffice, Refused
from ..factor_policy import is_alone
from ..factors import FACTORS
from ..models import Appointment, Invitation, Person
from ..permissions import Act, may, require
from ..queries import accounts_of
from ..sessions import longest_idle
from ..telling import mail_goes_out
from ..tokens import tokens_of
from .frame import reader_of, signed_in, today

PER_PAGE = 25
STATES = {"active": "Active", "invited": "Invited", "deactivated": "Deactivated"}


def _named(text: str) -> Q:
    return Q(name__icontains=text) | Q(email__icontains=text)


def _people() -> QuerySet[Person]:
    """People with what a list shows of each; the number of queries does not grow with them."""
    held = Appointment.objects.on(today()).select_related("office").order_by("office__position")
    second = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    return Person.objects.annotate(second_factor=Exists(second)).prefetch_related(
        Prefetch("appointments", queryset=held, to_attr="today")
    )


@require_safe
@signed_in
def people(request: HttpRequest) -> HttpResponse:
    """Everybody with an account or an open invitation; the Secretary reads it too."""
    reader, on = reader_of(request), today()
    if not may(reader, Act.RECORD_APPOINTMENT, on=on):
        require(reader, Act.INVITE, on=on)
    # PostgreSQL keeps no text with a NUL, and so finds none.
    asked = " ".join(request.GET.get("q", "").replace("\0", "").split())[:120]
    state = request.GET.get("state", "active")
    state = state if state in STATES else "active"
    found: dict[str, QuerySet[Any]] = {
        "active": _people().filter(_named(asked), is_active=True).order_by("name", "pk"),
        "invited": Invitation.objects.open().filter(_named(asked)).order_by("name", "pk"),
        "deactivated": _people().filter(_named(asked), is_active=False).order_by("name", "pk"),
    }
    context = {
        "section": "offices",
        "q": asked,
        "state": state,
        "tabs": [(key, label, found[key].count()) for key, label in STATES.items()],
        "page": Paginator(found[state], PER_PAGE).get_page(request.GET.get("page")),
        "may_invite": may(reader, Act.INVITE, on=on),
        "may_manage": may(reader, Act.MANAGE_ACCOUNTS, on=on),
        "now": timezone.now(),
        "begins": is_alone(reader),
    }
    return render(request, "people/people.html", context)


@require_safe
@signed_in
def person_account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account as the Administrator sees it: what protects it, what is open, what may be done.

    Not what the person reads, signs or writes: that is no business of the Administrator's.
    """
    reader = reader_of(request)
    require(reader, Act.MANAGE_ACCOUNTS, on=today())
    person = get_object_or_404(_people().select_related("deactivated_by"), pk=pk)
    linked = Person.objects.filter(pk__in=accounts_of(person)).exclude(pk=pk).order_by("pk")
    context = {
        "section": "offices",
        "person": person,
        "is_own": person.pk == reader.pk,
        "linked": linked,
        "may_hand_over": person.is_active
        and person.human_id != reader.human_id
        and not password_links.comes_by_single_sign_on(person),
        "may_unlink": linked and person.human_id != reader.human_id,
        "sessions": _sessions(person),
        "tokens": len(tokens_of(person, at=timezone.now())),
        "invitation": Invitation.objects.filter(person=person).first(),
    }
    return render(request, "people/person_account.html", context)


def _sessions(person: Person) -> int:
    since = timezone.now() - longest_idle()
    found: int = UserSession.objects.filter(user_id=person.pk, last_seen_at__gt=since).count()
    return found


# --- The acts ---------------------------------------------------------------------------------


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=accounts.LONGEST_REASON,
        help_text="It stays in the record of security events.",
        error_messages={"required": "Give a reason, such as “Left the company on 20 Nov 2026”."},
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


if TYPE_CHECKING:
    _OfPeople = forms.ModelChoiceField[Person]
else:
    _OfPeople = forms.ModelChoiceField


class PersonChoiceField(_OfPeople):
    """A select of people, told apart by their addresses."""

    def label_from_instance(self, obj: Person) -> str:
        return f"{obj.name} ({obj.email}){'' if obj.is_active else ', deactivated'}"


class LinkForm(ReasonForm):
    to = PersonChoiceField(
        label="The other account",
        queryset=Person.objects.none(),
        empty_label="Choose an account",
        error_messages={"required": "Choose the other account of the same person."},
        widget=forms.Select(attrs={"class": "input"}),
    )
    field_order = ("to", "reason")

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, person=person, **kwargs)
        others = Person.objects.exclude(pk__in=accounts_of(person)).order_by("name", "pk")
        self.fields["to"].queryset = others  # type: ignore[attr-defined]  # a ModelChoiceField


@dataclass(frozen=True)
class AccountAct:
    """One act on an account: its words, its verb, and what it does, said before it is done."""

    heading: str
    button: str
    done: str
    verb: Callable[..., object]
    effects: tuple[str, ...]
    form: type[ReasonForm] = ReasonForm
    dangerous: bool = False
    effects_for: Callable[[Person], tuple[str, ...]] = lambda person: ()

    def on(self, person: Person) -> list[str]:
        """What it does to ``person``, in sentences that are true of them and of this registry."""
        said = [one.format(person.name) for one in (*self.effects, *self.effects_for(person))]
        if mail_goes_out():
            return said
        kept = [one for one in said if "told by mail" not in one]
        return (
            kept
            if len(kept) == len(said)
            else [*kept, f"Nobody is mailed: tell {person.name} yourself"]
        )


def _left_without_factors(person: Person) -> tuple[str, ...]:
    """How somebody comes in once every second factor is gone."""
    if person.has_usable_password():
        return ("The password alone signs in until there is a new one",)
    if password_links.comes_by_single_sign_on(person):
        return ("{} signs in by single sign-on until there is a new one",)
    return ("{} has no password, and no way in until a link for a new one: hand that over next",)


def _link_to_a_password(person: Person) -> tuple[str, ...]:
    """Who gets the link."""
    if mail_goes_out():
        return ("The link is mailed to {}: you do not see it", "{} is told by mail")
    return (
        "You see the link once: whoever has it can set the password",
        "{} is told by mail",
    )


ACTS = {
    "deactivate": AccountAct(
        heading="Deactivate the account of {}",
        button="Deactivate the account",
        done="The account of {} is deactivated. Everything it had open has ended.",
        verb=accounts.deactivate,
        effects=(
            "{} is signed out everywhere at once, and cannot sign in",
            "Tokens for the API end, and do not come back",
            "A signature that was begun and not given ends: nothing is signed",
            "Offices stay recorded, and are vacant until somebody acts for them",
            "What was signed stays valid, and nothing is deleted",
            "{} is told by mail",
        ),
        dangerous=True,
    ),
    "reactivate": AccountAct(
        heading="Reactivate the account of {}",
        button="Reactivate the account",
        done="The account of {} is active again.",
        verb=accounts.reactivate,
        effects=(
            "{} can sign in again, with the password or passkey there was",
            "Appointments that still run count again",
            "Sessions, tokens and begun signatures do not come back",
            "{} is told by mail",
        ),
    ),
    "link": AccountAct(
        heading="Link the account of {} to another one",
        button="Link the accounts",
        done="The account of {} is linked.",
        verb=accounts.link,
        effects=(
            "Both count as one person wherever two are needed: co-signing, confirming, approving",
            "Each keeps its own way to sign in, and its Offices",
            "What was signed stays as it is",
            "The owner is told by mail, at both addresses",
        ),
        form=LinkForm,
    ),
    "factors": AccountAct(
        heading="Remove the lost second factors of {}",
        button="Remove the second factors",
        done="The second factors of {} are removed.",
        verb=lost_factors.remove_lost,
        effects=(
            "All passkeys, the code generator and the recovery codes of {} stop working",
            "{} is signed out everywhere at once",
            "Be sure that it is {} who asks: call back on a number that you know",
            "What was signed stays valid",
            "{} is told by mail",
        ),
        dangerous=True,
        effects_for=_left_without_factors,
    ),
    "password": AccountAct(
        heading="Hand over a link for a new password to {}",
        button="Make the link",
        done="A link for a new password is on its way to {}.",
        verb=password_links.make_password_link,
        effects=(
            f"A link sets a new password of {{}}, once, within {password_links.within()}",
            "Nothing ends now. Once it is used, {} is signed out everywhere and tokens end",
            "A second factor stays: signing in still asks for it",
            "Be sure that it is {} who asks: call back on a number that you know",
        ),
        effects_for=_link_to_a_password,
    ),
    "unlink": AccountAct(
        heading="Unlink the account of {}",
        button="Unlink the account",
        done="The account of {} is unlinked.",
        verb=accounts.unlink,
        effects=(
            "From now on it counts as a person of its own: two can sign where one could",
            "What was signed stays as it is",
            "The owners are told by mail, at both addresses",
        ),
        dangerous=True,
    ),
}


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def account_act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Say what the act does, ask why, do it."""
    reader = reader_of(request)
    require(reader, Act.MANAGE_ACCOUNTS, on=today())
    if name not in ACTS:
        raise Http404
    act, person = ACTS[name], get_object_or_404(Person, pk=pk)
    form = act.form(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            done = act.verb(
                person=person, **form.cleaned_data, acting_user=reader, at=timezone.now()
            )
        except NotYourOffice:
            raise
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            if isinstance(done, password_links.PasswordLink) and done.shown:
                return _shown_once(request, done)
            messages.success(request, act.done.format(person.name))
            return redirect("people:person_account", pk)
    context = {
        "section": "offices",
        "person": person,
        "act": act,
        "heading": act.heading.format(person.name),
        "effects": act.on(person),
        "form": form,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "people/account_act.html", context, status=status)


def _shown_once(request: HttpRequest, made: password_links.PasswordLink) -> HttpResponse:
    """The link is kept nowhere: the answer to the POST is the only page that has it."""
    context = {
        "section": "offices",
        "person": made.person,
        "link": made.shown,
        "within": password_links.within(),
    }
    response = render(request, "people/password_link.html", context)
    response["Cache-Control"] = "no-store"
    return response
