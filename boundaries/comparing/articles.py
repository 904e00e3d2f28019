"""The articles of two contents, their entries matched by key; and dates, title and parties."""

from collections.abc import Iterator, Mapping
from typing import Any

from people.offices import office_short

from ..articles import NONE_NEEDED, SHAPES
from .changes import Change, Entry, Field, Kind, counted, each, make_entry
from .rows import Content, day

_CONTROL, _CHANGE_LOG = "control", "change_log"


def article_changes(before: Content, after: Content, names: Mapping[str, str]) -> Iterator[Change]:
    old = {one["key"]: one for one in before.get("articles", ())}
    new = {one["key"]: one for one in after.get("articles", ())}
    keys = sorted(each((*new, *old)), key=lambda key: int((new.get(key) or old[key])["number"]))
    for key in keys:
        if key == _CHANGE_LOG:
            continue
        was, now = old.get(key), new.get(key)
        shown = now or was or {}
        entries = tuple(_article_entries(was, now, names))
        same = was and now and all(one.change == "unchanged" for one in entries)
        if key == _CONTROL and same:
            continue
        kind = Kind.UNCHANGED if same else Kind.TEXT
        if not (was and now):
            kind = Kind.ADDED if now else Kind.RETIRED
        yield Change(
            what="article",
            key=key,
            reference=str(shown["number"]),
            title=str(shown["title"]),
            kind=kind,
            all_entries=entries,
        )


# Keys whose values are Offices; every other text is shown as it was written.
_OFFICE_KEYS = frozenset({"solid_line", "solid_lines", "dotted_line", "owner", "primary_owner"}) | {
    "also_measured"
}
_FUNCTION_KEYS = frozenset({"function", "functions"})
_NAME_KEYS = ("name", "matter", "term", "function", "layer")
_ID_KEYS = ("key", "function", "layer")
_LABELS = {
    "solid_lines": "Solid line",
    "team_shape": "Team",
    "leads_business_days": "Leads",
    "executives_business_days": "Executives",
    "one_to_one": "CRO-COO 1:1",
}
# The labels under which the entries of each list are written.
_ENTRY_LABELS = {
    shape.entries.name: {field.name: field.label for field in shape.entries.fields}
    | {NONE_NEEDED.name: NONE_NEEDED.label}
    for shape in SHAPES.values()
    if shape.entries
}
_TEXT_LABELS = {field.name: field.label for shape in SHAPES.values() for field in shape.texts}
_CHOICES = {
    "under_cro": "Under the CRO",
    "cmo_peer": "A CMO as peer of the CRO",
    "centralised": "Centralised",
    "embedded": "Embedded",
    "hybrid": "Hybrid",
}

Fields = dict[str, str]  # text by label
Entries = dict[str, tuple[str, Fields]]  # id: name and fields


def _article_entries(
    was: Mapping[str, Any] | None, now: Mapping[str, Any] | None, names: Mapping[str, str]
) -> Iterator[Entry]:
    old, new = _read_article(was, names), _read_article(now, names)
    for key in each((*new, *old)):
        was_name, before = old.get(key, ("", {}))
        now_name, after = new.get(key, ("", {}))
        fields = [
            Field(label, before.get(label, ""), after.get(label, ""))
            for label in each((*after, *before))
        ]
        in_both = key in old and key in new
        if in_both and was_name != now_name:
            fields.insert(0, Field("Name", was_name, now_name))
        change = "" if in_both or not key else "added" if key in new else "removed"
        yield make_entry(now_name or was_name, fields, change=change)


def _read_article(article: Mapping[str, Any] | None, names: Mapping[str, str]) -> Entries:
    if article is None:
        return {}
    own: Fields = {"Text": str(article.get("text", ""))}
    named: Entries = {}
    for key, value in (article.get("data") or {}).items():
        if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            for position, one in enumerate(value):
                if isinstance(one, Mapping):
                    found = next((str(one[name]) for name in _ID_KEYS if one.get(name)), "")
                    named[f"{key}:{found or position}"] = _read_entry(key, one, names)
        else:
            label = _label(key, _TEXT_LABELS | _LABELS)
            own[label] = _data_text(key, value, names)
    return {"": ("", {label: text for label, text in own.items() if text})} | named


def _read_entry(
    list_name: str, data: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[str, Fields]:
    name_key = next((key for key in _NAME_KEYS if data.get(key)), "")
    name = _data_text(name_key, data.get(name_key, ""), names)
    if name_key == "layer":
        name = f"{name.capitalize()} layer"
    elif name_key == "matter" and data.get("threshold"):
        name = f"{name}, {data['threshold']}"  # several rights are about one matter
    labels = _ENTRY_LABELS.get(list_name, {})
    # In the order of the form: frozen content has its keys in alphabetical order.
    order = sorted(data, key=lambda key: list(labels).index(key) if key in labels else len(labels))
    fields = {
        _label(key, labels): _data_text(key, data[key], names)
        for key in order
        if key not in (name_key, "key")
    }
    return name, {label: text for label, text in fields.items() if text}


def _label(key: str, labels: Mapping[str, str]) -> str:
    return labels.get(key, key.replace("_", " ").capitalize())


def _data_text(key: str, value: Any, names: Mapping[str, str]) -> str:
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, list | tuple):
        between = " and " if key == "solid_lines" else ", "
        return between.join(_data_text(key, one, names) for one in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {one}" for name, one in value.items() if one)
    text = str(value)
    if key in _OFFICE_KEYS:
        return office_short(text)
    if key in _FUNCTION_KEYS:
        return names.get(text, text.replace("_", " ").capitalize())
    if key in ("team_shape", "marketing"):
        return _CHOICES.get(text, text.replace("_", " ").capitalize())
    if key.endswith("_business_days"):
        return f"Within {counted(value, 'business day') if isinstance(value, int) else text}"
    return text


def control_changes(before: Content, after: Content) -> Iterator[Field]:
    def parties(content: Content) -> str:
        return ", ".join(one["short"] for one in content.get("parties", ()))

    def missing(content: Content) -> str:
        return ", ".join(
            f"{one['short']} (its part goes to the {office_short(one['part_goes_to'])})"
            for one in content.get("not_established", ())
        )

    def dated(content: Content, key: str) -> str:
        return day(content["revision"].get(key)) or "Not set"

    for one in (
        Field("Title", before["document"]["title"], after["document"]["title"]),
        Field("Effective date", dated(before, "effective_date"), dated(after, "effective_date")),
        Field("Sunset date", dated(before, "sunset_date"), dated(after, "sunset_date")),
        Field("Parties", parties(before), parties(after)),
        Field("Not established", missing(before), missing(after)),
    ):
        if one.changed:
            yield one
