"""A Revision as JSON, as an Excel workbook and as CSV."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from people.offices import office_short

from ..articles import FUNCTION, FUNCTIONS, OFFICE, OFFICES, SHAPES, Field, all_fields
from ..content import utc_text
from ..drafting import row_text
from ..models import Article, Revision, Row
from .table import (
    COLUMNS,
    HYBRID_WORD,
    Names,
    line_of,
    offices_cell,
    owner_cell,
    row_json_fields,
    tidy,
)

FORMAT = "revops-boundary-exchange/1"
# Data of articles without a list of their own: these fields hold Offices.
OFFICE_FIELDS = frozenset({"solid_lines", "dotted_line", "owner"})


def bundle(revision: Revision, *, at: datetime) -> dict[str, Any]:
    """Everything that can be edited in a Revision, with the version of each row and article.

    The same for the page's download and the API. Three queries.
    """
    rows = revision.rows.select_related("function").prefetch_related("sub_scopes")
    return {
        "format": FORMAT,
        "exported_at": utc_text(at),
        "document": {"number": revision.document.number, "title": revision.document.title},
        "revision": {
            "number": revision.number,
            "reference": revision.reference,
            "state": revision.state,
        },
        "articles": [_article(one, revision) for one in revision.articles.all()],
        "rows": [_row(one) for one in rows],
    }


def _article(article: Article, revision: Revision) -> dict[str, Any]:
    found: dict[str, Any] = {
        "number": article.number,
        "key": article.key,
        "title": article.title,
        "version": article.version,
        "text": article.text,
        "data": article.data,
    }
    if article.key == "control":
        for name in ("effective_date", "sunset_date"):
            day = getattr(revision, name)
            found[name] = day.isoformat() if day else None
    return found


def _row(row: Row) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "function": row.function.key,
        "name": row.function.name,
        "version": row.version,
        "settled": row.is_settled,
        **row_json_fields(row_text(row)),
    }


def as_json(revision: Revision, *, at: datetime) -> bytes:
    return json.dumps(bundle(revision, at=at), ensure_ascii=False, indent=2).encode()


# --- CSV --------------------------------------------------------------------------------------

# Table programs take what begins like this for a formula; a leading apostrophe keeps it a text.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def csv_cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def as_csv(revision: Revision, *, at: datetime) -> bytes:
    """The rows only; UTF-8 with the mark by which Excel knows it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(heading for heading, _words in COLUMNS.values())
    for row in bundle(revision, at=at)["rows"]:
        writer.writerow(csv_cell(tidy(cell)) for cell in line_of(row, revision.reference).values())
    return b"\xef\xbb\xbf" + file.getvalue().encode()


# --- Excel ------------------------------------------------------------------------------------

ROWS, ARTICLES, FACTS, NOTES = "Rows", "Articles", "Article facts", "Notes"
ARTICLE_COLUMNS = ("Article", "Article key", "Title", "Text", "Version", "Draft")
FACT_COLUMNS = ("Article key", "Field", "Value", "What it is")
_WIDE, _NARROW = 48, 16


def list_sheets() -> dict[str, str]:
    """The sheet of each article that is a list of entries, by the article's key."""
    found = {}
    for key, shape in SHAPES.items():
        if shape.entries is not None:
            found[key] = shape.entries.many.capitalize().replace("-", " ")
    return found


def as_xlsx(revision: Revision, *, at: datetime) -> bytes:
    """A workbook: the rows, the articles' texts, a sheet for each list, and notes on all of it."""
    given = bundle(revision, at=at)
    names = Names()
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101 - a new workbook has one; tells the type checker
    _rows_sheet(sheet, given, names)
    articles = {one["key"]: one for one in given["articles"]}
    _articles_sheet(book.create_sheet(ARTICLES), given)
    for key, title in list_sheets().items():
        if key in articles:
            _list_sheet(book.create_sheet(title), key, articles[key]["data"], names)
    _facts_sheet(book.create_sheet(FACTS), given["articles"])
    _notes_sheet(book.create_sheet(NOTES), given, names)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _put(sheet: Worksheet, line: int, column: int, text: str) -> None:
    """A text and nothing else: never a formula, a number or a date."""
    cell = sheet.cell(line, column)
    assert isinstance(cell, Cell)  # noqa: S101 - nothing here is merged; tells the type checker
    cell.value = tidy(text)
    cell.data_type = "s"
    cell.number_format = "@"
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def _table(sheet: Worksheet, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    for column, heading in enumerate(headings, start=1):
        _put(sheet, 1, column, heading)
        sheet.cell(1, column).font = Font(bold=True)
        longest = max((len(line[column - 1]) for line in lines), default=0)
        width = _WIDE if longest > _NARROW * 2 else _NARROW
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    for number, line in enumerate(lines, start=2):
        for column, text in enumerate(line, start=1):
            _put(sheet, number, column, text)


def _rows_sheet(sheet: Worksheet, given: Mapping[str, Any], names: Names) -> None:
    sheet.title = ROWS
    reference = given["revision"]["reference"]
    lines = [list(line_of(row, reference).values()) for row in given["rows"]]
    _table(sheet, [heading for heading, _words in COLUMNS.values()], lines)
    sheet.freeze_panes = "C2"
    choices = ",".join([*(office_short(key) for key in names.owners), HYBRID_WORD])
    if len(choices) <= 250 and '"' not in choices:  # what Excel takes
        one_of = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True)
        one_of.error = "Choose an Office from the list, or Hybrid with parts."
        column = get_column_letter(list(COLUMNS).index("owner") + 1)
        one_of.add(f"{column}2:{column}2001")
        sheet.add_data_validation(one_of)


def _articles_sheet(sheet: Worksheet, given: Mapping[str, Any]) -> None:
    reference = given["revision"]["reference"]
    lines = [
        [
            str(one["number"]),
            one["key"],
            one["title"],
            one["text"],
            str(one["version"]),
            reference,
        ]
        for one in given["articles"]
    ]
    _table(sheet, ARTICLE_COLUMNS, lines)
    sheet.column_dimensions["D"].width = 100


def value_cell(field: Field, value: Any, names: Names) -> str:
    """A value of an entry as a cell has it."""
    if field.kind == OFFICE:
        return owner_cell(value or "")
    if field.kind == OFFICES:
        return offices_cell(value or ())
    if field.kind == FUNCTIONS:
        return "\n".join(_function_cell(key, names) for key in value or ())
    if field.kind == FUNCTION:
        return _function_cell(value or "", names)
    return str(value or "")


def _function_cell(key: str, names: Names) -> str:
    function = names.functions.get(key)
    return function.name if function else key


def _list_sheet(sheet: Worksheet, key: str, data: Mapping[str, Any], names: Names) -> None:
    entries = SHAPES[key].entries
    assert entries is not None  # noqa: S101 - only lists have a sheet; tells the type checker
    fields = all_fields(entries)
    headings = [*(["Key"] if entries.keyed else []), *(one.label for one in fields)]
    lines = [
        [
            *([str(entry.get("key", ""))] if entries.keyed else []),
            *(value_cell(one, entry.get(one.name), names) for one in fields),
        ]
        for entry in data.get(entries.name, ())
    ]
    _table(sheet, headings, lines)


def facts_of(article: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The fields of an article beside its text and list: name, value, what it is."""
    found: list[tuple[str, str, str]] = []
    for name in ("effective_date", "sunset_date"):
        if name in article:
            found.append((name, article[name] or "", "A date, such as 2027-01-15"))
    shape = SHAPES.get(article["key"])
    if shape is not None:
        data = article["data"]
        return [
            *found,
            *((one.name, str(data.get(one.name, "")), one.label) for one in shape.texts),
        ]
    for name, value in article["data"].items():
        words = name.replace("_", " ").capitalize()
        if name == "layers":
            for layer in value:
                for part in ("owner", "mandate", "escalation"):
                    given = layer.get(part, "")
                    text = owner_cell(given) if part == "owner" else str(given)
                    label = f"{str(layer['layer']).capitalize()} layer: {part}"
                    found.append((f"layers.{layer['layer']}.{part}", text, label))
        elif name in OFFICE_FIELDS:
            keys = value if isinstance(value, list) else [value]
            found.append((name, offices_cell(key for key in keys if key), f"{words}: an Office"))
        elif isinstance(value, str | int):
            found.append((name, str(value), words))
    return found


def _facts_sheet(sheet: Worksheet, articles: Sequence[Mapping[str, Any]]) -> None:
    lines = [[one["key"], *fact] for one in articles for fact in facts_of(one)]
    _table(sheet, FACT_COLUMNS, lines)


def _notes_sheet(sheet: Worksheet, given: Mapping[str, Any], names: Names) -> None:
    lines = [
        ["What this is", f"{given['document']['title']}, {given['revision']['reference']}"],
        ["Taken on", given["exported_at"]],
        [
            "How to bring it back",
            (
                "Save it as an Excel workbook and upload it on the page it came from. You see what "
                "would change before anything is saved. Lines that you remove are left as they are "
                "in the draft."
            ),
        ],
        ["Offices that may own", names.owner_words()],
        ["Offices that may be asked or told", ", ".join(names.offices.values())],
        *[[f"Sheet {ROWS}, column {heading}", words] for heading, words in COLUMNS.values()],
        [f"Sheet {ARTICLES}", "The text of each article. Change the column Text only."],
        [f"Sheet {FACTS}", "What an article holds beside its text. Change the column Value only."],
    ]
    for key, title in list_sheets().items():
        entries = SHAPES[key].entries
        assert entries is not None  # noqa: S101 - only lists have a sheet; tells the type checker
        lines.append(
            [
                f"Sheet {title}",
                (
                    f"One {entries.one} a line. Lines may be added and removed: the sheet replaces "
                    "the whole list."
                ),
            ]
        )
        lines += [
            [f"Sheet {title}, column {one.label}", one.hint]
            for one in all_fields(entries)
            if one.hint
        ]
    _table(sheet, ("About", "What to know"), lines)
    sheet.column_dimensions["A"].width = _WIDE
    sheet.column_dimensions["B"].width = 100
