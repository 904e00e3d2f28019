"""Taking an uploaded file apart, within strict limits. Nothing here reads or changes a draft."""

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook

from ..articles import FUNCTION, FUNCTIONS, OFFICE, OFFICES, SHAPES, EntryList, all_fields
from .errors import UnreadableFile
from .table import COLUMNS, Names, Problem, fields_in, offices_in
from .writing import ARTICLES, FACTS, FORMAT, OFFICE_FIELDS, ROWS, list_sheets

MAX_BYTES = 2 * 1024 * 1024
MAX_UNPACKED = 24 * 1024 * 1024
MAX_ROWS = 2000
MAX_LINES = 20_000  # of a sheet, empty ones included
MAX_COLUMNS = 40
MAX_DEPTH = 12
MAX_CELL = 40_000
MAX_PROBLEMS = 200


@dataclass(frozen=True)
class RowIn:
    """A row as a file has it: only the fields that the file has."""

    place: str
    function: str
    version: int | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class ArticleIn:
    """An article as a file has it: ``text``, ``data``, dates of article 1, as far as given."""

    place: str
    key: str
    version: int | None
    fields: dict[str, Any]


@dataclass
class Incoming:
    """What a file holds, and what in it cannot be read."""

    reference: str = ""  # the draft that it was taken from
    rows: list[RowIn] = field(default_factory=list)
    articles: list[ArticleIn] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    # The functions that it names, those of rows that cannot be read included.
    named: set[str] = field(default_factory=set)
    # Texts that went through a table program, which does not keep every sign.
    tabular: bool = False

    def wrong(self, place: str, words: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(place, words))

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "named"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Incoming":
        return cls(
            reference=data["reference"],
            rows=[RowIn(**one) for one in data["rows"]],
            articles=[ArticleIn(**one) for one in data["articles"]],
            tabular=data["tabular"],
        )


def read(content: bytes, filename: str, names: Names) -> Incoming:
    """Read a JSON, Excel or CSV file. Raises ``UnreadableFile`` where nothing of it can be read."""
    if len(content) > MAX_BYTES:
        raise UnreadableFile("The file is larger than 2 MB. Import it in parts.")
    if not content.strip():
        raise UnreadableFile("The file is empty. Choose the one that you filled in.")
    ending = filename.rpartition(".")[2].casefold()
    if ending == "json":
        return _read_json(content, names)
    if ending == "xlsx":
        return _read_xlsx(content, names)
    if ending == "csv":
        return _read_csv(content, names)
    raise UnreadableFile(
        "Choose a file that ends in .json, .xlsx or .csv. An older Excel file (.xls) has to be "
        "saved as an Excel workbook first."
    )


def _storable(text: str) -> bool:
    """Whether a database keeps it: PostgreSQL takes no NUL, and no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


# --- JSON -------------------------------------------------------------------------------------

_ROW_TEXTS = ("owner", "scope_in", "scope_out", "rationale", "left_out_reason")


def _deeper_than(value: Any, limit: int) -> bool:
    if limit == 0:
        return True
    if isinstance(value, Mapping):
        return any(_deeper_than(one, limit - 1) for one in value.values())
    if isinstance(value, list):
        return any(_deeper_than(one, limit - 1) for one in value)
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _read_json(content: bytes, names: Names) -> Incoming:
    try:
        given = json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(
            "This is not a JSON file that can be read. Export the draft again and change that file."
        ) from error
    if _deeper_than(given, MAX_DEPTH) or not all(_storable(text) for text in _texts(given)):
        raise UnreadableFile(
            "The file is nested too deeply, or holds signs that no text may have. Export the draft "
            "again and change that file."
        )
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise UnreadableFile(
            f"This is not an export of a draft: it does not say “format”: “{FORMAT}”."
        )
    found = Incoming()
    revision = given.get("revision")
    if isinstance(revision, dict) and isinstance(revision.get("reference"), str):
        found.reference = revision["reference"]
    rows, articles = given.get("rows", []), given.get("articles", [])
    if not isinstance(rows, list) or not isinstance(articles, list):
        raise UnreadableFile("“rows” and “articles” have to be lists, as in an export.")
    if len(rows) > MAX_ROWS:
        raise UnreadableFile(f"The file has more than {MAX_ROWS:,} rows. Import it in parts.")
    for number, one in enumerate(rows, start=1):
        _json_row(one, f"Row {number} of the file", found, names)
    for number, one in enumerate(articles[:50], start=1):
        _json_article(one, f"Article {number} of the file", found)
    return _without_doubles(found)


def _version(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _json_row(one: Any, place: str, found: Incoming, names: Names) -> None:
    if not isinstance(one, dict) or not isinstance(one.get("function"), str):
        found.wrong(place, "Say which row it is: “function” holds the function's key.")
        return
    key = names.function(one["function"])
    if key is None:
        _unknown_function(found, place, one["function"])
        return
    found.named.add(key)
    fields: dict[str, Any] = {}
    for name in _ROW_TEXTS:
        if name in one and not isinstance(one[name], str):
            found.wrong(f"{place}, {name}", "Write a text between quotation marks.")
            return
        if name in one:
            fields[name] = one[name]
    for name in ("consulted", "informed"):
        if name in one:
            if not _is_list_of_texts(one[name]):
                found.wrong(f"{place}, {name}", "Write a list of the keys of Offices.")
                return
            fields[name] = one[name]
    if "sub_scopes" in one:
        parts = _json_parts(one["sub_scopes"])
        if parts is None:
            found.wrong(f"{place}, sub_scopes", "Write a list of parts, each with name and owner.")
            return
        fields["sub_scopes"] = parts
    found.rows.append(RowIn(place, key, _version(one.get("version")), fields))


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_PART_KEY = re.compile(r"[a-z0-9_-]{1,60}")


def _json_parts(value: Any) -> list[dict[str, str]] | None:
    if not isinstance(value, list):
        return None
    parts = []
    for one in value:
        given = one if isinstance(one, dict) else {}
        part = {name: given.get(name, "") for name in ("key", "name", "owner")}
        if not all(isinstance(text, str) for text in part.values()) or not part["name"]:
            return None
        if part["key"] and not _PART_KEY.fullmatch(part["key"]):
            return None
        parts.append(part)
    return parts


def _json_article(one: Any, place: str, found: Incoming) -> None:
    if not isinstance(one, dict) or not isinstance(one.get("key"), str):
        found.wrong(place, "Say which article it is: “key” holds it, as in an export.")
        return
    fields: dict[str, Any] = {}
    for name, kind in (("text", str), ("data", dict)):
        if name in one:
            if not isinstance(one[name], kind):
                found.wrong(f"{place}, {name}", "Keep the form that the export has.")
                return
            fields[name] = one[name]
    for name in ("effective_date", "sunset_date"):
        if name in one:
            day = one[name] or ""
            if not isinstance(day, str) or not _is_day(day):
                found.wrong(f"{place}, {name}", "Give a date, such as 2027-01-15.")
                return
            fields[name] = day
    found.articles.append(ArticleIn(place, one["key"], _version(one.get("version")), fields))


def _is_day(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).year < 9000
    except ValueError:
        return False


def _unknown_function(found: Incoming, place: str, word: str) -> None:
    found.wrong(
        place,
        f"The catalog has no function “{word[:80]}”. Add it to the catalog first, or leave the "
        "line out.",
    )


def _without_doubles(found: Incoming) -> Incoming:
    """Of a row that comes twice the first counts; an article that does is left out."""
    seen: dict[str, str] = {}
    rows = []
    for row in found.rows:
        if row.function in seen:
            found.wrong(row.place, f"It is about the same function as {seen[row.function]}.")
        else:
            seen[row.function] = row.place
            rows.append(row)
    found.rows = rows
    keys = [one.key for one in found.articles]
    for one in found.articles:
        if keys.count(one.key) > 1:
            found.wrong(one.place, "The file has this article twice. Keep one of them.")
    found.articles = [one for one in found.articles if keys.count(one.key) == 1]
    return found


# --- Tables -----------------------------------------------------------------------------------

# By heading; also by the names that the JSON has, where they are no heading.
_HEADINGS = {column: column for column in COLUMNS} | {
    heading.casefold(): column for column, (heading, _words) in COLUMNS.items()
}
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def _read_csv(content: bytes, names: Names) -> Incoming:
    try:
        text = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        )
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            "The file is not written in UTF-8. In Excel, save it as “CSV UTF-8”."
        ) from error
    if not _storable(text):
        raise UnreadableFile("The file holds signs that no text may have. Export the draft again.")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [
            (number, [cell[1:] if _ESCAPED.match(cell) else cell for cell in line])
            for number, line in enumerate(
                csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1
            )
        ]
    except csv.Error as error:
        raise UnreadableFile(
            "The file is not a table that can be read. Export the draft again and change that file."
        ) from error
    found = Incoming(tabular=True)
    _rows_of_table(lines, found, names)
    return _without_doubles(found)


def _rows_of_table(
    lines: Iterable[tuple[int, Sequence[str]]], found: Incoming, names: Names
) -> None:
    """Read lines of cells, the first of which holds the headings."""
    filled = [(number, line) for number, line in lines if any(cell.strip() for cell in line)]
    if not filled:
        raise UnreadableFile("The table is empty. Export the draft and fill in that file.")
    columns = [_HEADINGS.get(" ".join(cell.split()).casefold(), "") for cell in filled[0][1]]
    if "function" not in columns and "name" not in columns:
        raise UnreadableFile(
            "The table has no column “Function key” or “Function”, so its rows cannot be told "
            "apart. Keep the first line as the export has it."
        )
    doubled = next((one for one in columns if one and columns.count(one) > 1), "")
    if doubled:
        raise UnreadableFile(f"The column “{COLUMNS[doubled][0]}” comes twice. Keep one of them.")
    if len(filled) - 1 > MAX_ROWS:
        raise UnreadableFile(f"The file has more than {MAX_ROWS:,} rows. Import it in parts.")
    drafts = set()
    for number, line in filled[1:]:
        place = f"Row {number} of the file"
        cells = {column: cell for column, cell in zip(columns, line, strict=False) if column}
        drafts.add(cells.pop("draft", "").strip())
        _table_row(cells, place, found, names)
    if not found.reference and len(drafts - {""}) == 1:
        found.reference = (drafts - {""}).pop()


def _table_row(cells: dict[str, str], place: str, found: Incoming, names: Names) -> None:
    cells.pop("reference", None)
    name, key = cells.pop("name", ""), cells.pop("function", "")
    function = names.function(key) if key.strip() else names.function(name)
    if function is None:
        _unknown_function(found, place, key.strip() or name.strip())
        return
    found.named.add(function)
    version = cells.pop("version", "").strip()
    if any(len(cell) > MAX_CELL for cell in cells.values()):
        found.wrong(place, "One of its cells is far too long for any column.")
        return
    fields, problems = fields_in(cells, place, names)
    for problem in problems:
        found.wrong(problem.place, problem.words)
    if not problems:
        number = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0
        found.rows.append(RowIn(place, function, number or None, fields))


# --- Excel ------------------------------------------------------------------------------------


def _read_xlsx(content: bytes, names: Names) -> Incoming:
    _refuse_bombs(content)
    unreadable = UnreadableFile(
        "This is not an Excel workbook that can be read. Save it as an Excel workbook (.xlsx) "
        "without a password."
    )
    try:
        with warnings.catch_warnings():
            # What openpyxl warns of (styles, extensions) has no bearing on the texts.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
            found = Incoming(tabular=True)
            sheets = {sheet.title: _lines(sheet, found) for sheet in book.worksheets[:MAX_COLUMNS]}
            book.close()
    except UnreadableFile:
        raise
    except Exception as error:  # whatever a made-up workbook makes the parsers stumble over
        raise unreadable from error
    if ROWS not in sheets and ARTICLES not in sheets:
        raise UnreadableFile(
            f"The workbook has neither a sheet “{ROWS}” nor a sheet “{ARTICLES}”. Keep the names "
            "that the export gives them."
        )
    if sheets.get(ROWS):
        _rows_of_table(sheets[ROWS], found, names)
    _articles_of_book(sheets, found, names)
    return _without_doubles(found)


def _refuse_bombs(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableFile(
            "This is not an Excel workbook. Save it as an Excel workbook (.xlsx)."
        ) from error
    if len(parts) > 200 or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise UnreadableFile("The workbook is too large once it is unpacked. Import it in parts.")


def _lines(sheet: Any, found: Incoming) -> list[tuple[int, list[str]]]:
    """The lines of a sheet as texts; a formula is a problem, not a text."""
    lines = []
    # What a workbook says of its own size may be made up.
    sheet.reset_dimensions()
    for line in sheet.iter_rows(max_row=MAX_LINES, max_col=MAX_COLUMNS):
        cells = [_cell_text(cell, sheet.title, found) for cell in line]
        if any(cells):
            number = next(cell.row for cell in line if cell.value is not None)
            lines.append((number, cells))
        if len(lines) > MAX_ROWS + 1:
            raise UnreadableFile(f"A sheet has more than {MAX_ROWS:,} rows. Import it in parts.")
    return lines


def _cell_text(cell: Any, title: str, found: Incoming) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        found.wrong(
            f"Sheet {title}, row {cell.row}, column {cell.column_letter}",
            "It holds a formula. Write the text itself.",
        )
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        value = value.date()
    text = value.isoformat() if isinstance(value, date) else str(value)
    if len(text) > MAX_CELL or not _storable(text):
        found.wrong(
            f"Sheet {title}, row {cell.row}, column {cell.column_letter}",
            "The text is far too long, or holds signs that no text may have.",
        )
        return ""
    return text


def _dicts(lines: Sequence[tuple[int, list[str]]]) -> list[tuple[int, dict[str, str]]]:
    """The lines below the first by its headings."""
    if not lines:
        return []
    headings = [" ".join(cell.split()).casefold() for cell in lines[0][1]]
    return [
        (number, {head: cell for head, cell in zip(headings, line, strict=False) if head})
        for number, line in lines[1:]
    ]


def _articles_of_book(
    sheets: Mapping[str, Sequence[tuple[int, list[str]]]], found: Incoming, names: Names
) -> None:
    fields: dict[str, dict[str, Any]] = {}
    versions: dict[str, int | None] = {}
    for number, cells in _dicts(sheets.get(ARTICLES, [])):
        key = cells.get("article key", "").strip()
        if not key or key in fields:
            found.wrong(f"Sheet {ARTICLES}, row {number}", "Keep the column Article key as it was.")
            continue
        fields[key] = {"text": cells["text"]} if "text" in cells else {}
        version = cells.get("version", "").strip()
        versions[key] = int(version) if re.fullmatch(r"[0-9]{1,8}", version) else None
        if not found.reference:
            found.reference = cells.get("draft", "").strip()
    for key, title in list_sheets().items():
        entries = SHAPES[key].entries
        if title in sheets and entries is not None:
            listed = _entries(_dicts(sheets[title]), title, entries, found, names)
            if listed is not None:
                fields.setdefault(key, {}).setdefault("data", {})[entries.name] = listed
    _facts(_dicts(sheets.get(FACTS, [])), fields, found, names)
    for key, given in fields.items():
        found.articles.append(
            ArticleIn(f"Article “{key}” of the file", key, versions.get(key), given)
        )


def _entries(
    lines: Sequence[tuple[int, dict[str, str]]],
    title: str,
    entries: EntryList,
    found: Incoming,
    names: Names,
) -> list[dict[str, Any]] | None:
    """The entries of a list; None where one of them cannot be read: then the list stays."""
    listed, whole = [], True
    for number, cells in lines:
        entry: dict[str, Any] = {}
        if entries.keyed:
            entry["key"] = cells.get("key", "").strip()
        for one in all_fields(entries):
            value, unknown = _value(one.kind, cells.get(one.label.casefold(), ""), names)
            if unknown:
                found.wrong(
                    f"Sheet {title}, row {number}, column {one.label}",
                    f"There is no {_kind_words(one.kind)} “{unknown}”. Write it as the notes "
                    "of the workbook name it.",
                )
                whole = False
            entry[one.name] = value
        listed.append(entry)
    return listed if whole else None


def _kind_words(kind: str) -> str:
    return "function" if kind in (FUNCTION, FUNCTIONS) else "Office"


def _value(kind: str, cell: str, names: Names) -> tuple[Any, str]:
    """A cell as the value of an entry, and the first word in it that names nothing."""
    if kind == OFFICES:
        keys, unknown = offices_in(cell, names)
        return keys, unknown[0] if unknown else ""
    if kind == OFFICE:
        key = names.office(cell) if cell.strip() else ""
        return key or "", "" if key is not None else cell.strip()
    if kind == FUNCTION:
        key = names.function(cell) if cell.strip() else ""
        return key or "", "" if key is not None else cell.strip()
    if kind == FUNCTIONS:
        words = [word.strip() for word in re.split(r"[;\n]", cell) if word.strip()]
        found = [names.function(word) for word in words]
        unknown = [word for word, key in zip(words, found, strict=True) if key is None]
        return [key for key in found if key], unknown[0] if unknown else ""
    return cell, ""


def _facts(
    lines: Sequence[tuple[int, dict[str, str]]],
    fields: dict[str, dict[str, Any]],
    found: Incoming,
    names: Names,
) -> None:
    for number, cells in lines:
        key, name = cells.get("article key", "").strip(), cells.get("field", "").strip()
        value: Any = cells.get("value", "")
        place = f"Sheet {FACTS}, row {number}"
        if not key or not name:
            found.wrong(place, "Keep the columns Article key and Field as they were.")
            continue
        given = fields.setdefault(key, {})
        if name in ("effective_date", "sunset_date"):
            if _is_day(value.strip()):
                given[name] = value.strip()
            else:
                found.wrong(f"{place}, column Value", "Give a date, such as 2027-01-15.")
            continue
        if name.rpartition(".")[2] in OFFICE_FIELDS:
            keys, unknown = offices_in(value, names)
            if unknown:
                found.wrong(f"{place}, column Value", f"There is no Office “{unknown[0]}”.")
                continue
            value = keys if name == "solid_lines" else (keys or [""])[0]
        data = given.setdefault("data", {})
        if name.startswith("layers."):
            _stem, _dot, rest = name.partition(".")
            layer, _dot, part = rest.partition(".")
            data.setdefault("layers", {}).setdefault(layer, {})[part] = value
        else:
            data[name] = value
