"""Workbooks: what a person sees in a sheet, and malicious files."""

from __future__ import annotations

import datetime
import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from symtune.tables import load_tables, sheets
from symtune.tables.number_formats import shown
from symtune.types import InputError, MissingExtra

openpyxl = pytest.importorskip("openpyxl")

FORMATS = [  # value, format, what a person sees (without a format: what the value is)
    (3, "General", "3"), (3.0, "General", "3"), (0.1 + 0.2, "General", "0.3"), (1e20, "General", "1e+20"),
    (1234567, "#,##0", "1,234,567"), (1234.5, "#,##0.00", "1,234.50"), (-1234.5, '#,##0.00_);(#,##0.00)', "-1,234.50"),
    (0.125, "0.0%", "12.5%"), (0.5, "0%", "50%"), (-0.001, "0%", "0%"), (2.675, "0.00", "2.68"),
    (5, '"$"#,##0.00', "$5.00"), (5, "[$€-407]\\ #,##0.00", "€ 5.00"), (-5, '#,##0.00\\ [$€-407]', "-5.00 €"),
    (5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_)', "$5.00"), (7, '0" km"', "7 km"), (7, "0000", "7"),
    (1e9, "0.0,,", "1000000000"), (1.5, "# ?/?", "1.5"), (12345, "0.00E+00", "12345"), (5, "[Red]0", "5"),
    (3, '"a;b"0', "a;b3"), (True, "General", "true"), ("x", "@", "x"), (None, "General", ""),
    (datetime.datetime(2020, 5, 1), "dd/mm/yyyy", "2020-05-01"), (datetime.datetime(2020, 5, 1), "mmm yyyy", "2020-05"),
    (datetime.datetime(2020, 5, 1), "yyyy", "2020"),
    (datetime.datetime(2020, 5, 1, 10, 30), "d/m/yy h:mm", "2020-05-01 10:30:00"),
    (datetime.date(2020, 5, 1), "", "2020-05-01"), (datetime.time(10, 30), "h:mm", "10:30:00"),
    (datetime.timedelta(hours=30), "[h]:mm", "1 day, 6:00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "number_format", "text"), FORMATS)
def test_a_value_is_shown_in_its_format(value: Any, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


def workbook(path: Path, **sheets: list[list[Any]]) -> Any:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


def test_every_sheet_is_a_table_as_a_person_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = workbook(
        path,
        Sales=[
            [], [None, "Report of 2020"], [], [None, "City", "When", "Share", None, "Price", "Sum"],
            [None, "Oslo", datetime.date(2020, 5, 1), 0.125, None, 5, "=F5*2"],
            [None, None, datetime.date(2020, 6, 1), 0.5, None, 7.5, None],
            [None, "Lund", datetime.date(2021, 1, 1), 1, None, 3, None],
        ],
        Groups=[
            ["City", "2019", None, "2020", None], [None, "Men", "Women", "Men", "Women"],
            ["A", 1, 2, 3, 4], ["B", 5, 6, 7, 8],
        ],
        Secret=[["a"], [1]],
        Nothing=[],
    )  # fmt: skip
    sales, groups = book["Sales"], book["Groups"]
    for row in sales.iter_rows(min_row=5):
        row[3].number_format, row[5].number_format = "0.0%", '"$"#,##0.00'
    sales.merge_cells("B2:G2")
    sales.merge_cells("B5:B6")
    for area in ("B1:C1", "D1:E1", "A1:A2"):
        groups.merge_cells(area)
    book["Secret"].sheet_state = "hidden"
    book.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_tables(path)
    one, two = loaded.tables
    assert (one.id, one.header) == ("book.xlsx/Groups", ("City", "2019 Men", "2019 Women", "2020 Men", "2020 Women"))
    assert (two.id, two.header) == ("book.xlsx/Sales", ("City", "When", "Share", "Price", "Sum"))
    assert two.rows == (
        ("Oslo", "2020-05-01", "12.5%", "$5.00", ""),
        ("Oslo", "2020-06-01", "50.0%", "$7.50", ""),
        ("Lund", "2021-01-01", "100.0%", "$3.00", ""),
    )
    assert two.types == ("text", "date", "number", "number", "text")
    assert loaded.dropped == {"hidden sheet: left out": 1, "empty sheet": 1}
    assert loaded.repaired == {
        "cell merged over several rows: its text in each of them": 2,
        "empty column: left out": 2,
        "formula without a stored value: empty cell": 1,
        "line above the header: left out": 1,
        "second header row: joined to the first": 1,
    }
    assert load_tables(tmp_path).tables == loaded.tables


def patched(base: Path, name: str, edit: Callable[[bytes], bytes]) -> Path:
    """A copy of a workbook in which one part is edited."""
    path = base.with_name("hostile" + base.suffix)
    with zipfile.ZipFile(base) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            data = source.read(part)
            target.writestr(part.filename, edit(data) if part.filename == name else data)
    return path


SHEET = "xl/worksheets/sheet1.xml"
HOSTILE = [
    ("size", SHEET, lambda data: data.replace(b'"A1:B3"', b'"A1:XFD1048576"'), ""),
    ("merged", SHEET, lambda data: data.replace(
        b"</sheetData>", b"</sheetData><mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * 9_000 + b"</mergeCells>"),
     ""),
    ("far row", SHEET, lambda data: data.replace(b'r="3"', b'r="999999999"').replace(b'"A3"', b'"A999999999"').replace(
        b'"B3"', b'"B999999999"'), "over 5,000,000 cells"),
    ("one long row", SHEET, lambda data: data.replace(
        b"</sheetData>", b'<row r="4">' + b"<c/>" * 1_100_000 + b"</row></sheetData>"), "over 5,000,000 cells"),
    ("bomb", SHEET, lambda data: data.replace(b"</sheetData>", b" " * 270_000_000 + b"</sheetData>"), "256 MB"),
    ("entities", SHEET, lambda data: b'<!DOCTYPE x [<!ENTITY a "b">]>' + data.split(b"?>", 1)[-1].replace(
        b"<v>1</v>", b"<v>&a;</v>"), "not a readable workbook"),
    ("cut", SHEET, lambda data: data[:300], "not a readable workbook"),
    ("no such style", SHEET, lambda data: data.replace(b'<c r="A2"', b'<c r="A2" s="999"'), "not a readable workbook"),
    ("no book", "xl/workbook.xml", lambda data: b"<x/>", "no usable table"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "part", "edit", "told"), HOSTILE, ids=[case[0] for case in HOSTILE])
def test_a_hostile_workbook_is_one_line_or_its_table(
    tmp_path: Path, name: str, part: str, edit: Callable[[bytes], bytes], told: str
) -> None:
    workbook(tmp_path / "book.xlsx", one=[["a", "b"], [1, 2], [3, "x"]])
    path = patched(tmp_path / "book.xlsx", part, edit)
    if not told:
        assert load_tables(path).tables[0].rows == (("1", "2"), ("3", "x"))
        return
    with pytest.raises(InputError, match=told) as raised:
        load_tables(path)
    assert "\n" not in str(raised.value)
    assert load_tables(tmp_path).tables[0].id == "book.xlsx/one"


def test_a_part_with_more_texts_than_cells_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_CELLS", 10)
    sheets.Scan(io.BytesIO(b"<sst>" + b"<si/>" * 20 + b"</sst>"), "si", "t.xlsx")
    with pytest.raises(InputError, match=r"t.xlsx: over"):
        sheets.Scan(io.BytesIO(b"<sst>" + b"<si/>" * 30 + b"</sst>"), "si", "t.xlsx")


def test_other_files_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data, told in (
        ("text.xlsx", b"a,b\n1,2\n", "not a readable workbook"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0" + bytes(100), "password"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(100), "save it as .xlsx"),
        ("text.ods", b"a,b\n1,2\n", "not a readable workbook"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=told):
            load_tables(tmp_path / name)
    workbook(tmp_path / "book.xlsx", one=[["a"], [1]])
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"symtune\[excel\]"):
        load_tables(tmp_path / "book.xlsx")


# OpenDocument

DOCUMENT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:automatic-styles>'
    '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>'
    "</office:automatic-styles><office:body><office:spreadsheet>%s</office:spreadsheet></office:body>"
    "</office:document-content>"
)


def cell(text: str = "", kind: str = "string", **attributes: Any) -> str:
    office = {"value", "date-value", "boolean-value"}
    names = {name.replace("_", "-"): value for name, value in attributes.items()}
    written = " ".join(f'{"office" if name in office else "table"}:{name}="{value}"' for name, value in names.items())
    return f'<table:table-cell office:value-type="{kind}" {written}><text:p>{text}</text:p></table:table-cell>'


def row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def sheet(name: str, *rows: str, style: str = "ta1") -> str:
    return f'<table:table table:name="{name}" table:style-name="{style}">{"".join(rows)}</table:table>'


def document(path: Path, *sheets: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", DOCUMENT % "".join(sheets))
    return path


def test_sheets_of_an_open_document(tmp_path: Path) -> None:
    blank = '<table:table-cell table:number-columns-repeated="16380"/>'
    covered = "<table:covered-table-cell/>"
    one = sheet(
        "One",
        row(cell("A title"), blank),
        row(blank, times=2),
        row(cell("City"), cell("Day"), cell("Share"), cell("Price"), cell("Open"), blank),
        row(
            cell("Os<text:s/>lo<text:span>!</text:span>", number_rows_spanned=2),
            cell("01.05.20", "date", date_value="2020-05-01"),
            cell("12%", "percentage", value="0.12"), cell("5,00 €", "currency", value="5"),
            cell("WAHR", "boolean", boolean_value="true"), blank,
        ),
        row(
            covered, cell("02.05.20", "date", date_value="2020-05-02T10:30:00"),
            cell("50,5%", "percentage", value="0.505"),
            cell("$7.50", "currency", value="7.5"), cell("FALSCH", "boolean", boolean_value="false"), blank,
        ),
        row(blank, times=1_000_000),
    )  # fmt: skip
    repeated = sheet("Two", row(cell("a"), cell("b")), row(cell("1", "float", value="1"), cell("x"), times=3))
    hidden = sheet("Three", row(cell("a")), row(cell("1")), style="ta2")
    loaded = load_tables(document(tmp_path / "t.ods", one, repeated, hidden))
    first, second = loaded.tables
    assert (first.id, first.header) == ("t.ods/One", ("City", "Day", "Share", "Price", "Open"))
    assert first.rows == (
        ("Os lo!", "2020-05-01", "12%", "5", "true"),
        ("Os lo!", "2020-05-02 10:30:00", "50.5%", "$7.50", "false"),
    )
    assert second.rows == (("1", "x"),) * 3
    assert loaded.dropped == {"hidden sheet: left out": 1}


def test_a_hostile_open_document_is_one_line(tmp_path: Path) -> None:
    head = row(cell("a"), cell("b"))
    for name, body, told in (
        ("rows", sheet("S", head, row(cell("1"), times=999_999_999)), "over 5,000,000 cells"),
        ("columns", sheet("S", head, row(cell("1", number_columns_repeated=999_999_999))), "over 5,000,000 cells"),
        ("cells", sheet("S", head, row(*[cell("1")] * 500_001)), "over 5,000,000 cells"),
        ("cut", sheet("S", head) + "<table:table>", "not a readable"),
    ):
        with pytest.raises(InputError, match=told) as raised:
            load_tables(document(tmp_path / f"{name}.ods", body))
        assert "\n" not in str(raised.value)
