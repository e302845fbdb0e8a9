"""Hidden rows, faulty formulas and percent formats, from a sheet's XML (.xlsx, .xlsm, .ods)."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple
from unicodedata import normalize
from xml.etree import ElementTree

ROWS_MAX = 1 << 20  # of a sheet
NOT_COMPUTED = (
    "is a formula whose value was never computed; open the workbook once in Excel or LibreOffice,"
    " and save it"
)
IN_ERROR = "is a formula that ended in an error"
PERCENT = {9, 10}  # numbers of the built-in formats
QUOTED = re.compile(r'"[^"]*"|\\.')
# The tags of rows and cells; after a cell's tag, its formula and the value stored with it
TAG = re.compile(
    rb"<(?:\w+:)?(row|c)\b([^>]*)>"
    rb"(?:\s*(<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>))\s*(?:<(?:\w+:)?v>([^<]*)<)?)?"
)
ODS_TAG = re.compile(rb"<table:(table-row|table-cell|covered-table-cell)\b([^>]*)>")
NOTABLE = re.compile(rb'<(?:\w+:)?f\b|hidden="|t="e"')
CELL = re.compile(rb'\br="([A-Z]*)(\d+)"')
REPEATED = re.compile(rb'number-(?:rows|columns)-repeated="(\d{1,7})"')


Faults = dict[tuple[int, int], str]  # by row and column


class Markup(NamedTuple):
    """Hidden rows, faults of cells, and columns with a percent format, all numbered from 1."""

    hidden: set[int]
    faults: Faults
    percent: set[int]


def read(path: str, sheet: str) -> Markup:
    """The markup of a sheet; empty if the workbook is not XML.

    Raises KeyError, ValueError, zipfile.BadZipFile and ElementTree.ParseError for damaged ones.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            entries = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
            if "content.xml" in entries:
                return _ods(archive.read(entries["content.xml"]), sheet)
            if "xl/workbook.xml" in entries:
                return _xlsx(archive, entries, sheet)
    return Markup(set(), {}, set())


def _xlsx(archive: zipfile.ZipFile, entries: dict[str, str], sheet: str) -> Markup:
    def tree(name: str) -> ElementTree.Element:
        return ElementTree.fromstring(archive.read(entries[name]))  # noqa: S314

    book = tree("xl/workbook.xml")
    (link,) = (
        value
        for each in book.iterfind(".//{*}sheet")
        if normalize("NFC", each.get("name", "")) == normalize("NFC", sheet)
        for key, value in each.items()
        if key.endswith("}id")
    )
    relations = tree("xl/_rels/workbook.xml.rels")
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    target = posixpath.normpath(posixpath.join("/xl", targets[link].replace("\\", "/")))
    content = archive.read(entries[target.strip("/").lower()])
    # set by programs that store 0 and leave it to Excel to compute
    to_compute = any(each.get("fullCalcOnLoad") in ("1", "true") for each in book.iter())
    percent = set(_percent(tree("xl/styles.xml"))) if "xl/styles.xml" in entries else set()
    styled = re.compile(rb'\bs="(?:%s)"' % b"|".join(percent)) if percent else None
    markup = Markup(set(), {}, set())
    if not (styled or NOTABLE.search(content)):
        return markup
    row = column = 0
    for tag, attributes, formula, value in TAG.findall(content):
        cell = CELL.search(attributes)
        if tag == b"row":
            row, column = int(cell[2]) if cell else row + 1, 0
            if re.search(rb'\bhidden="(?:1|true)"', attributes):
                markup.hidden.add(row)
            continue
        column = _number(cell[1]) if cell else column + 1
        is_computed = value and not (to_compute and value == b"0")
        if b't="e"' in attributes:
            markup.faults[row, column] = IN_ERROR
        elif formula and not is_computed and b't="str"' not in attributes:
            markup.faults[row, column] = NOT_COMPUTED
        if styled and styled.search(attributes):
            markup.percent.add(column)
    return markup


def _percent(styles: ElementTree.Element) -> Iterator[bytes]:
    """The indexes of the cell formats that show a number as percent."""
    own = {
        int(each.get("numFmtId", 0)): QUOTED.sub("", each.get("formatCode", ""))
        for each in styles.iterfind(".//{*}numFmt")
    }
    for number, each in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        format_id = int(each.get("numFmtId", 0))
        if "%" in own.get(format_id, "%" if format_id in PERCENT else ""):
            yield str(number).encode()


def _number(letters: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _ods(content: bytes, sheet: str) -> Markup:
    markup = Markup(set(), {}, set())
    for table in content.split(b"<table:table ")[1:]:
        name = re.search(rb'table:name="([^"]*)"', table)
        if not name or unescape(name[1].decode()) != sheet:
            continue
        row = next_row = column = next_column = 1
        for tag, attributes in ODS_TAG.findall(table):
            times = int(match[1]) if (match := REPEATED.search(attributes)) else 1
            if tag == b"table-row":
                row, next_row, next_column = next_row, next_row + times, 1
                if b'visibility="collapse"' in attributes or b'visibility="filter"' in attributes:
                    markup.hidden.update(range(row, min(next_row, ROWS_MAX)))
                continue
            column, next_column = next_column, next_column + times
            if b"table:formula=" in attributes and b"value-type=" not in attributes:
                markup.faults[row, column] = NOT_COMPUTED
            if b'value-type="error"' in attributes:
                markup.faults[row, column] = IN_ERROR
            if b'value-type="percentage"' in attributes:
                markup.percent.add(column)
    return markup
