"""What is typed about Offices and appointments: read and checked before any verb is called."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

from django import forms

from .calendar import date_words
from .models import Appointment, Office, Person
from .queries import who_acts_for
from .recording import EARLIEST_DAY, LATEST_DAY, last_act_day, last_day_words

WHICH_INSTRUMENT = "Name the written decision it rests on, such as “Memo of 21 Nov 2026”."


def _input(**attrs: Any) -> dict[str, Any]:
    return {"class": "input", **attrs}


def _sensible_day(day: date) -> None:
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        raise forms.ValidationError(
            f"Give a day between {date_words(EARLIEST_DAY)} and {date_words(LATEST_DAY)}."
        )


def _day(label: str, hint: str, *, required: bool, missing: str) -> forms.DateField:
    return forms.DateField(
        validators=[_sensible_day],
        label=label,
        help_text=hint,
        required=required,
        widget=forms.DateInput(format="%Y-%m-%d", attrs=_input(type="date")),
        error_messages={"required": missing, "invalid": "Give a date, such as 2026-11-21."},
    )


def _words(
    label: str, hint: str, *, required: bool, max_length: int, missing: str = ""
) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=max_length,
        widget=forms.TextInput(attrs=_input(autocomplete="off")),
        error_messages={"required": missing} if missing else {},
    )


def _reason(
    label: str, hint: str, *, missing: str, required: bool = True, max_length: int = 500
) -> Any:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=max_length,
        widget=forms.Textarea(attrs=_input(rows=3)),
        error_messages={"required": missing},
    )


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # no generics at run time
    """People with what they do: "Maya Lindqvist, CRO", "Nadia Haddad, Operations director"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.titles: dict[int, list[str]] = {}
        super().__init__(*args, **kwargs)

    def offer(self, *, today: date, without: Collection[int] = ()) -> None:
        """Everybody with an open account, but for these."""
        self.queryset = Person.objects.filter(is_active=True).exclude(pk__in=without)
        self.titles = {}  # the field of each form is a copy that would share it
        for one in Appointment.objects.on(today).select_related("office"):
            self.titles.setdefault(one.person_id, []).append(one.title)

    def label_from_instance(self, obj: Any) -> str:
        words = " and ".join(self.titles.get(obj.pk, [])) or obj.job_title or obj.email
        return f"{obj.name}, {words}"


class OfficeChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # no generics at run time
    """Offices with who holds each: "COO, held by Daniel Osei to 31 Jan 2027"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.holders: Mapping[str, Appointment] = {}
        super().__init__(*args, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        held = self.holders.get(obj.key)
        if obj.several_holders:
            return f"{obj.short}, may have several holders"
        if held is None:
            return f"{obj.short}, vacant"
        until = f" to {last_day_words(held.ends_on)}" if held.ends_on else ""
        verb = "acted for by" if held.acting else "held by"
        return f"{obj.short}, {verb} {held.person.name}{until}"


def exclusive(last_day: date | None) -> date | None:
    """People name the last day; the record keeps the day after it."""
    return last_day + timedelta(days=1) if last_day else None


class _AppointmentForm(forms.Form):
    """What every appointment has: who, from when, until when, resting on what."""

    person = PersonChoice(
        Person.objects.none(),
        label="Person",
        empty_label="Choose a person",
        widget=forms.Select(attrs=_input()),
        error_messages={
            "required": "Choose who it is.",
            "invalid_choice": "Choose somebody with an account that is open.",
        },
    )
    starts_on = _day(
        "First day",
        "From the start of that day.",
        required=True,
        missing="Give the first day, such as today.",
    )
    last_day = _day(
        "Last day",
        "Empty if open. Acting needs one.",
        required=False,
        missing="Give the last day: a stand-in acts for a time.",
    )
    instrument = _words(
        "Instrument",
        "The written decision it rests on. Needed for acting appointments and for the CEO’s.",
        required=False,
        max_length=300,
        missing=WHICH_INSTRUMENT,
    )
    scope = _words(
        "What it covers",
        "For a stand-in who may not do everything. Empty: all that the Office may.",
        required=False,
        max_length=500,
    )

    def __init__(
        self, *args: Any, today: date, without: Collection[int] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["person"]
        assert isinstance(field, PersonChoice)  # noqa: S101 - tells the type checker
        field.offer(today=today, without=without)

    def asked(self) -> dict[str, Any]:
        """What the verbs take."""
        data = self.cleaned_data
        return {
            "person": data["person"],
            "starts_on": data["starts_on"],
            "ends_on": exclusive(data["last_day"]),
            "instrument": data["instrument"],
            "scope": data.get("scope", ""),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("starts_on"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", f"Give a day not before {date_words(first)}.")
        return data


class RecordForm(_AppointmentForm):
    """A person holds an Office, or acts for it."""

    kind = forms.ChoiceField(
        label="Kind",
        choices=[("appointment", "Appointment"), ("acting", "Acting")],
        widget=forms.RadioSelect,
        initial="appointment",
    )
    office = OfficeChoice(
        Office.objects.none(),
        to_field_name="key",
        label="Office",
        empty_label="Choose an Office",
        widget=forms.Select(attrs=_input()),
        error_messages={
            "required": "Choose the Office.",
            "invalid_choice": "Choose an Office that the company has and that you may record.",
        },
    )
    field_order = ("kind", "office", "person", "starts_on", "last_day", "instrument", "scope")

    def __init__(self, *args: Any, offices: Collection[int], today: date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        field = self.fields["office"]
        assert isinstance(field, OfficeChoice)  # noqa: S101 - tells the type checker
        field.queryset = Office.objects.filter(pk__in=offices)
        field.holders = who_acts_for(field.queryset.values_list("key", flat=True), on=today)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("kind") == "acting":
            if not data.get("last_day") and "last_day" not in self.errors:
                self.add_error("last_day", "Give the last day: a stand-in acts for a time.")
            if not data.get("instrument"):
                self.add_error("instrument", WHICH_INSTRUMENT)
        return data

    def asked(self) -> dict[str, Any]:
        return super().asked() | {
            "office": self.cleaned_data["office"],
            "acting": self.cleaned_data["kind"] == "acting",
        }


class StandInForm(_AppointmentForm):
    """Who holds an Office proposes who acts for it meanwhile."""

    office = OfficeChoice(
        Office.objects.none(),
        to_field_name="key",
        label="For which of your Offices",
        empty_label=None,
        widget=forms.Select(attrs=_input()),
        error_messages={
            "required": "Choose for which of your Offices.",
            "invalid_choice": "Choose one of your own Offices.",
        },
    )
    field_order = ("office", "person", "starts_on", "last_day", "instrument", "scope")

    def __init__(self, *args: Any, offices: Collection[int], today: date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        self.fields["person"].error_messages["invalid_choice"] = (
            "Choose somebody else: you are the one who is stood in for, and the CEO confirms it."
        )
        field = self.fields["office"]
        assert isinstance(field, OfficeChoice)  # noqa: S101 - tells the type checker
        field.queryset = Office.objects.filter(pk__in=offices)
        field.holders = who_acts_for(field.queryset.values_list("key", flat=True), on=today)
        self.fields["last_day"].required = True
        self.fields["last_day"].help_text = "From the day after on you act again."
        self.fields["instrument"].required = True
        self.fields["instrument"].help_text = "The written decision that it rests on."

    def asked(self) -> dict[str, Any]:
        return super().asked() | {"office": self.cleaned_data["office"]}


class CorrectForm(_AppointmentForm):
    """What is right, and why the record was wrong."""

    reason = _reason(
        "What was wrong",
        "It is kept beside the record that is struck.",
        missing="Say what was wrong, and how it is known.",
    )

    def __init__(self, *args: Any, wrong: Appointment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_day"].required = wrong.acting
        if wrong.acting:
            self.fields["instrument"].required = True
        else:
            del self.fields["scope"]

    @classmethod
    def initial_of(cls, wrong: Appointment) -> dict[str, Any]:
        return {
            "person": wrong.person,
            "starts_on": wrong.starts_on,
            "last_day": wrong.last_day,
            "instrument": wrong.instrument,
            "scope": wrong.scope,
        }

    def asked(self) -> dict[str, Any]:
        return super().asked() | {"reason": self.cleaned_data["reason"]}


class EndForm(forms.Form):
    """The last day of an appointment."""

    last_day = _day(
        "Last day",
        "Yesterday ends it at once.",
        required=True,
        missing="Give the last day on which it runs.",
    )
    reason = _reason(
        "Why it ends",
        "Kept on record, and told to the person.",
        missing="Say why it ends, such as “Leaves the company”.",
    )

    def __init__(self, *args: Any, one: Appointment, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signed_on = last_act_day(one)
        if signed_on is not None and signed_on >= today:
            self.fields[
                "last_day"
            ].help_text = (
                f"{date_words(signed_on)} at the earliest: {one.person.name} signed on that day."
            )
        elif one.starts_on == today:
            self.fields["last_day"].help_text = "Today at the earliest: it began today."


class WhyForm(forms.Form):
    """A reason alone: to refuse, or to take back."""

    reason = _reason(
        "Why",
        "Told to whoever recorded it.",
        missing="Say why, so that whoever recorded it knows what to change.",
    )


class TakeBackForm(forms.Form):
    reason = _reason(
        "Why",
        "Kept on record.",
        required=False,
        missing="Say why, so that everybody concerned knows.",
    )


class AbsenceForm(forms.Form):
    """Where the part of an Office goes that the company does not have."""

    part_goes_to = forms.ModelChoiceField(
        Office.objects.none(),
        to_field_name="key",
        label="Its part goes to",
        empty_label="Choose an Office",
        widget=forms.Select(attrs=_input()),
        error_messages={"required": "Choose the Office that its part goes to."},
    )
    reason = _reason(
        "Why the company does without it",
        "Printed on every boundary.",
        max_length=1000,
        missing="Say why the company does without it: it is printed on every boundary.",
    )

    def __init__(self, *args: Any, takers: list[Office], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["part_goes_to"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = Office.objects.filter(pk__in=[one.pk for one in takers])


class AddOfficeForm(forms.Form):
    """A further Office."""

    title = _words(
        "Title",
        "In full, such as Chief Marketing Officer.",
        required=True,
        max_length=120,
        missing="Write its title in full.",
    )
    short = _words(
        "Short name",
        "How badges and signatures name it, such as CMO.",
        required=True,
        max_length=40,
        missing="Write the short name that badges show.",
    )
    co_signing = forms.BooleanField(
        label="It owns functions and co-signs boundaries",
        help_text="Then its appointments need the CEO’s confirmation.",
        required=False,
        initial=True,
    )
