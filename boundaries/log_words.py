"""Events of documents in plain language; ``people.security_words`` has those of people."""

from dataclasses import dataclass

from django.urls import reverse

from audit.models import Event
from people.offices import office_short
from people.security_words import Known, Words, tell


@dataclass(frozen=True)
class Where:
    """What an event is about, in a word, and the page of it ("" where there is none)."""

    words: str
    url: str = ""


def reference_of(event: Event) -> str:
    """The version of a document that an event is about, "NC-RB-4"; "" for none."""
    said = event.data.get("revision")
    if isinstance(said, str) and said:
        return said
    return event.object_version if event.object_type in _OF_A_VERSION else ""


_OF_A_VERSION = frozenset({"revision", "freeze", "intent", "succession", "review", "disposal"})


def where(event: Event) -> Where:
    """Where to look for what an event is about."""
    kind, key = event.object_type, event.object_id
    if kind in _PAGES:
        words, name = _PAGES[kind]
        return Where(words.format(key), reverse(name, args=[key]) if key.isdecimal() else "")
    if kind == "appointment" and event.data.get("office"):
        kind, key = "office", str(event.data["office"])
    if kind in ("office", "function") and key:
        name = "people:office" if kind == "office" else "functions_catalog:function"
        return Where(office_short(key) if kind == "office" else key, reverse(name, args=[key]))
    reference = reference_of(event)
    number, _, n = reference.rpartition("-")
    if number and n.isdecimal():
        return Where(reference, reverse("boundaries:revision", args=[number, int(n)]))
    return Where("")


_PAGES = {
    "dispute": ("Dispute {}", "boundaries:dispute"),
    "exception": ("Exception {}", "boundaries:exception"),
    "person": ("Account", "people:person"),
}


def _of(words: str) -> Words:
    """``{it}``: the version; ``{place}``: the row or article; ``{dispute}``: its row."""

    def told(event: Event, known: Known) -> str:
        data = event.data
        return words.format(
            it=reference_of(event) or "a document",
            place=_lower(str(data.get("place") or "a place")),
            row=_lower(str(data.get("row") or "a row")),
            office=known.office(event.office) if event.office else "",
            number=event.object_id,
        )

    return told


def _lower(place: str) -> str:
    """ "row 4.12, Deal desk" in the middle of a sentence."""
    return place[:1].lower() + place[1:]


def _counted(words: str, name: str) -> Words:
    """``{count}``: how many entries the list ``name`` of the event's data has."""

    def told(event: Event, known: Known) -> str:
        found = event.data.get(name)
        count = len(found) if isinstance(found, list) else 0
        return words.format(it=reference_of(event), count=count, s="" if count == 1 else "s")

    return told


def _cosigned(event: Event, known: Known) -> str:
    words = f"signed {reference_of(event)}"
    offices = event.data.get("offices")
    if isinstance(offices, list) and len(offices) > 1:
        words += f" for {' and '.join(known.office(str(key)) for key in offices)}"
    if event.data.get("method"):
        words += f" ({str(event.data['method']).lower()})"
    return f"{words}; all parties have signed" if event.data.get("last") else words


def _approved(event: Event, known: Known) -> str:
    method = event.data.get("method")
    return f"approved {reference_of(event)}" + (f" ({str(method).lower()})" if method else "")


def _in_force(event: Event, known: Known) -> str:
    former = event.data.get("superseded")
    return f"brought {reference_of(event)} in force" + (f" in place of {former}" if former else "")


def _back(words: str) -> Words:
    def told(event: Event, known: Known) -> str:
        voided = event.data.get("signatures_voided") or 0
        after = f"; {voided} signature{'' if voided == 1 else 's'} became void" if voided else ""
        return words.format(it=reference_of(event)) + after

    return told


def _applied(event: Event, known: Known) -> str:
    whose = f" of the {known.office(event.office)}" if event.office else ""
    return f"put the signature{whose} into the PDF of {reference_of(event)}"


def _term(words: str) -> Words:
    """``{years}``: for how long the archive keeps its records."""

    def told(event: Event, known: Known) -> str:
        years = event.data.get("years")
        return words.format(years="one year" if years == 1 else f"{years} years")

    return told


def _hold(words: str) -> Words:
    """``{number}`` of a legal hold, and ``{what}`` it keeps."""

    def told(event: Event, known: Known) -> str:
        return words.format(number=event.object_id, what=event.data.get("document") or "everything")

    return told


def _both(what: str, words: str) -> dict[str, Words]:
    """The same sentence for rows and articles."""
    return {f"{kind}.{what}": _of(words) for kind in ("row", "article")}


WORDS: dict[str, Words] = {
    # --- Rows and articles
    **_both("edited", "edited {place} of {it}"),
    **_both("agreed", "agreed to {place} of {it}"),
    **_both("agreement_withdrawn", "took back the agreement to {place} of {it}"),
    **_both("contested", "contested {place} of {it}"),
    **_both("commented", "commented on {place} of {it}"),
    **_both("change_proposed", "proposed a change to {place} of {it}"),
    **_both("proposal_accepted", "accepted a proposed change to {place} of {it}"),
    **_both("proposal_declined", "declined a proposed change to {place} of {it}"),
    **_both("proposal_taken_back", "took back a proposed change to {place} of {it}"),
    **_both("thread_resolved", "resolved a thread about {place} of {it}"),
    **_both("thread_reopened", "reopened a thread about {place} of {it}"),
    "row.added": _of("added {place} to {it}"),
    "row.removed": _of("removed {place} from {it}"),
    "row.moved": _of("moved {place} of {it}"),
    "row.left_out": _of("left {place} out of {it}"),
    "row.taken_back_in": _of("took {place} back into {it}"),
    "row.vetoed": _of("vetoed {place} of {it}"),
    "row.veto_lifted": _of("lifted the veto of {place} of {it}"),
    "row.veto_ordered": _of("ordered what goes in as {place} of {it} after the veto"),
    "draft.agreed_to_all_read": _counted("agreed to {count} place{s} of {it} at once", "agreed"),
    "draft.carried_confirmed": _counted(
        "confirmed {count} unchanged place{s} of {it}", "confirmed"
    ),
    "draft.predecessors_confirmed": _counted(
        "confirmed what a predecessor agreed to in {count} place{s} of {it}", "confirmed"
    ),
    "draft.imported": _counted("imported a table into {it}: {count} place{s} changed", "places"),
    # --- Freezing, signing, sealing
    "document.opened": _of("opened the draft {it}"),
    "revision.amendment_opened": _of("opened the amendment {it}"),
    "revision.frozen": _of("froze {it} for signing"),
    "revision.cosigned": _cosigned,
    "revision.declined": _back("declined to sign {it}"),
    "revision.returned": _back("returned {it} to draft"),
    "revision.withdrawn": _back("withdrew {it}"),
    "revision.approved": _approved,
    "revision.in_force": _in_force,
    "revision.superseded": _of("took {it} out of force: a later version came"),
    "revision.expired": _of("let {it} expire: nobody renewed it in time"),
    "revision.sealed": _of("sealed the PDF of {it}"),
    "revision.acknowledged": _of("acknowledged {it} with an execution plan"),
    "signing_copy.made": _of("made the signing copy of {it}"),
    "signing_copy.opened": _of("opened the signing copy of {it}"),
    "signature.applied": _applied,
    "signing.begun": _of("began to sign {it}"),
    "signing.authenticated": _of("confirmed who they are, to sign {it}"),
    "signing.authentication_failed": _of("failed to confirm who they are, to sign {it}"),
    # --- Disputes, rulings, exceptions
    "dispute.opened": _of("opened dispute {number} about {row} of {it}"),
    "dispute.interim_decider_named": _of("named who decides until the ruling in dispute {number}"),
    "dispute.interim_decider_changed": _of(
        "let another decide until the ruling in dispute {number}"
    ),
    "dispute.page_filed": _of("filed the page of the {office} in dispute {number}"),
    "dispute.page_waived": _of("waived the page of the {office} in dispute {number}"),
    "dispute.pages_opened": _of("opened the pages of dispute {number}"),
    "dispute.ruled": _of("ruled in dispute {number} about {row}"),
    "dispute.settled": _of("agreed to settle dispute {number}"),
    "dispute.settlement_taken_back": _of("took back the word to settle dispute {number}"),
    "dispute.withdrawn": _of("agreed with all others: dispute {number} is withdrawn"),
    "dispute.lapsed": _of("closed dispute {number}: its draft goes no further"),
    "ruling.bound": _of("made the ruling of dispute {number} binding"),
    "ruling.entered_draft": _of("took the ruling of dispute {number} into the draft"),
    "ruling.in_boundary": _of("noted that the ruling of dispute {number} is in the boundary"),
    "exception.requested": _of("asked for an exception to {place} of {it}"),
    "exception.answered": _of("approved an exception to {place} of {it}; others still have to"),
    "exception.granted": _of("approved an exception to {place} of {it}: it is granted"),
    "exception.refused": _of("refused an exception to {place} of {it}"),
    "exception.taken_back": _of("took back an exception to {place} of {it}"),
    # --- Handing over
    "succession.began": _of("asked the successor of the {office} to answer for {it}"),
    "succession.acknowledged": _of("acknowledged {it}, which a predecessor signed"),
    "succession.amendment_asked": _of("asked to amend {it}, which a predecessor signed"),
    # --- PDFs that are overdue, and evidence that is taken along
    "pdf.alarm_raised": _of("raised an alarm: the PDF of {it} is overdue or was refused"),
    "pdf.alarm_ended": _of("ended the alarm about the PDF of {it}"),
    "evidence.taken": _of("took the evidence of {it} along"),
    # --- Archive
    "retention.proposed": _term("proposed to keep records for {years}"),
    "retention.confirmed": _term("confirmed that records are kept for {years}"),
    "retention.refused": _term("refused to keep records for {years}"),
    "retention.taken_back": _term("took back the proposal to keep records for {years}"),
    "hold.placed": _hold("placed hold {number} on {what}"),
    "hold.lifted": _hold("lifted hold {number} on {what}"),
    "disposal.proposed": _of("proposed to dispose of the files of {it}"),
    "disposal.refused": _of("refused to dispose of the files of {it}"),
    "disposal.taken_back": _of("took back the proposal to dispose of the files of {it}"),
    "revision.files_disposed": _of("agreed to the disposal of the files of {it}: they are gone"),
    "erasure.asked": _of("asked for erasure {number} of personal texts"),
    "erasure.refused": _of("refused erasure {number} of personal texts"),
    "erasure.taken_back": _of("took back erasure {number} of personal texts"),
    # --- The company's keys, and the log itself
    "key.rotated": _of("replaced the company’s {number} key"),
    "key.compromised": _of("reported the company’s {number} key as compromised"),
    "log.check_asked": lambda event, known: "had the whole log checked",
}


def register() -> None:
    """Called once the apps are loaded."""
    for name, words in WORDS.items():
        tell(name, words)
