"""Files as people and spreadsheets write them: with text around a table and above it, and rows of the wrong width."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.tables import load_tables
from symtune.tables.grids import table_of_grid
from symtune.types import InputError

ABOVE, BELOW = "line above the header: left out", "line below the table: left out"
EMPTY_ROW, EMPTY_COLUMN = "empty row: left out", "empty column: left out"
SECOND, NAMES = "second header row: joined to the first", "row names without a header: named by their position"
SHORT, LONG = "row shorter than the header: filled up with empty cells", "row longer than the header: left out"
CUT = "row with empty cells beyond the header: cut"
UNQUOTED = "file whose quotation marks quote nothing: they are part of the cells"

Row = tuple[str, ...]
CITIES = "City,Land,Pop\nOslo,N,7\nBergen,N,3\nLund,S,1\n"
H, R = ("City", "Land", "Pop"), (("Oslo", "N", "7"), ("Bergen", "N", "3"), ("Lund", "S", "1"))
G, V = (
    ("City", "2019 Men", "2019 Women", "2020 Men", "2020 Women"),
    (("A", "1", "2", "3", "4"), ("B", "5", "6", "7", "8")),
)
BODY = "A,1,2,3,4\nB,5,6,7,8\n"

CASES = [  # name, text, header, rows, what is said of it
    ("plain.csv", CITIES, H, R, {}),
    ("title.csv", "Cities of the north\n" + CITIES, H, R, {ABOVE: 1}),
    ("title-blank.csv", "Cities of the north\n\n" + CITIES, H, R, {ABOVE: 1}),
    ("padded.csv", "Cities of the north,,\n,,\n" + CITIES, H, R, {ABOVE: 1, EMPTY_ROW: 1}),
    ("comma-in-title.csv", '"Cities, of the north"\nSource:,a book\n' + CITIES, H, R, {ABOVE: 2}),
    ("pairs.csv", "Report:,cities,\nDate:,2020-01-01,\n,,\n" + CITIES, H, R, {ABOVE: 2, EMPTY_ROW: 1}),
    ("hash.csv", "# made by a program\n# v1\n" + CITIES, H, R, {ABOVE: 2}),
    ("semicolons.csv", "Umsatz, nach Land\nStand: Mai, 2020\n\n" + CITIES.replace(",", ";"), H, R, {ABOVE: 2}),
    ("footer.csv", CITIES + ",,\nSource: a book,,\nAll rights reserved,,\n", H, R, {BELOW: 2, EMPTY_ROW: 1}),
    ("footer-blank.csv", CITIES + "\nSource: a book\n", H, R, {BELOW: 1}),
    ("trailing.csv", CITIES.replace("\n", ",\n"), H, R, {EMPTY_COLUMN: 1}),
    ("trailing-rows.csv", CITIES.replace("\n", ",\n").replace("Pop,", "Pop"), H, R, {EMPTY_COLUMN: 1}),
    ("trailing-header.csv", CITIES.replace("Pop", "Pop,"), H, R, {EMPTY_COLUMN: 1}),
    ("empties.csv", ",,,,\n,City,,Land,Pop\n,Oslo,,N,7\n,Bergen,,N,3\n,,,,\n,Lund,,S,1\n,,,,\n", H, R,
     {EMPTY_COLUMN: 2, EMPTY_ROW: 3}),
    ("spaces.csv", CITIES + " , ,\t\n", H, R, {EMPTY_ROW: 1}),
    ("short.csv", CITIES.replace("Lund,S,1", "Lund"), H, (*R[:2], ("Lund", "", "")), {SHORT: 1}),
    ("long.csv", CITIES + "Kiel,D,2,x\n", H, R, {LONG: 1}),
    ("cut.csv", CITIES.replace("S,1", "S,1,,") + "Kiel,D,2\n", H, (*R, ("Kiel", "D", "2")), {EMPTY_COLUMN: 2}),
    ("r.csv", "Land,Pop\nOslo,N,7\nBergen,N,3\nLund,S,1\n", ("column 1", "Land", "Pop"), R,
     {NAMES: 1, "empty header: named by its position": 1}),
    ("index.csv", ",Land,Pop\nOslo,N,7\nBergen,N,3\n", ("column 1", "Land", "Pop"), R[:2],
     {"empty header: named by its position": 1}),
    ("words.csv", ",Land,Say\nOslo,N,x\nBergen,N,y\n", ("column 1", "Land", "Say"),
     (("Oslo", "N", "x"), ("Bergen", "N", "y")), {"empty header: named by its position": 1}),
    ("years.csv", "Population by year\nLand,2019,2020\nN,5,6\nS,7,8\n", ("Land", "2019", "2020"),
     (("N", "5", "6"), ("S", "7", "8")), {ABOVE: 1}),
    ("one-column.csv", "name\nOslo\nBergen\n", ("name",), (("Oslo",), ("Bergen",)), {}),
    ("two-columns.csv", "Cities\nname,n\nOslo,7\nBergen,3\n", ("name", "n"),
     (("Oslo", "7"), ("Bergen", "3")), {ABOVE: 1}),
    ("all-text.csv", "a,b\nx,y\nz,w\n", ("a", "b"), (("x", "y"), ("z", "w")), {}),
    ("merged.csv", ",2019,,2020,\nCity,Men,Women,Men,Women\n" + BODY, G, V, {SECOND: 1}),
    ("merged-below.csv", "City,2019,,2020,\n,Men,Women,Men,Women\n" + BODY, G, V, {SECOND: 1}),
    ("repeated.csv", "City,2019,2019,2020,2020\nCity,Men,Women,Men,Women\n" + BODY, G, V, {SECOND: 1}),
    ("titled.csv", "A title\n\n,2019,,2020,\nCity,Men,Women,Men,Women\n" + BODY, G, V, {SECOND: 1, ABOVE: 1}),
    ("pandas.csv", ",2019,2019,2020,2020\n,Men,Women,Men,Women\nCity,,,,\n" + BODY, G, V, {SECOND: 1}),
    ("units.csv", "Name,Area,Height\n,km²,(m)\nA,1,2\nB,3,4\n", ("Name", "Area km²", "Height (m)"),
     (("A", "1", "2"), ("B", "3", "4")), {SECOND: 1}),
    ("groups-of-text.csv", "Name,Home,,Work,\n,Street,Town,Street,Town\nAl,x,y,z,w\nBo,p,q,r,s\n",
     ("Name", "Home Street", "Home Town", "Work Street", "Work Town"),
     (("Al", "x", "y", "z", "w"), ("Bo", "p", "q", "r", "s")), {SECOND: 1}),
    ("unnamed-middle.csv", "name,,score\nBob,x,12\nAl,y,13\n", ("name", "column 2", "score"),
     (("Bob", "x", "12"), ("Al", "y", "13")), {"empty header: named by its position": 1}),
    ("first-row-missing.csv", "name,n,m\nBob,,\nAl,1,2\nEd,3,4\n", ("name", "n", "m"),
     (("Bob", "", ""), ("Al", "1", "2"), ("Ed", "3", "4")), {}),
    ("first-row-na.csv", "name,n,n\n,n/a,n/a\nAl,1,2\nEd,3,4\n", ("name", "n", "n (2)"),
     (("", "n/a", "n/a"), ("Al", "1", "2"), ("Ed", "3", "4")), {"repeated header: numbered": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "header", "rows", "said"), CASES, ids=[case[0] for case in CASES])
def test_a_table_is_found_in_what_stands_around_it(
    tmp_path: Path,
    name: str,
    text: str,
    header: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    said: dict[str, int],
) -> None:
    (tmp_path / name).write_text(text, "utf-8", newline="")
    loaded = load_tables(tmp_path / name)
    assert (loaded.tables[0].header, loaded.tables[0].rows) == (header, rows)
    assert loaded.repaired == said
    assert set(loaded.first) == set(said)


QUOTES = [  # what stands in the second cell of row 2, and where it may end again
    ('"So he said', "12\""), ('"', '"'), ('5" pipe', '"x'), ('"a" b', 'c "d"'), ('say "hi', 'hi" x'), ('"x""', '""y'),
    ("'\"", '"'), ('\\"x', '"'), ('"a', "b"), ("a\"", "b"),
]  # fmt: skip


@pytest.mark.parametrize("distance", [0, 1, 2, 7])
@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("opening", "closing"), QUOTES)
def test_no_row_of_an_unquoted_tsv_is_lost(
    tmp_path: Path, opening: str, closing: str, column: int, distance: int, end: str
) -> None:
    rows = [[str(number), f"t{number}", "lp"] for number in range(14)]
    rows[2][column] = opening
    if distance:
        rows[2 + distance][column] = closing
    text = end.join("\t".join(row) for row in [["id", "text", "lang"], *rows]) + end
    (tmp_path / "t.tsv").write_text(text, "utf-8", newline="")
    (table,) = load_tables(tmp_path / "t.tsv").tables
    assert len(table.rows) == 14
    for mine, written in zip(table.rows, rows, strict=True):
        for cell, text in zip(mine, written, strict=True):
            assert cell == text or (cell == text.strip('"') and '"' in text)  # quotes around a cell may go


quoted = st.text(alphabet='ab"\t\n, 1', max_size=6)


@given(st.lists(st.lists(quoted, min_size=3, max_size=3), min_size=3, max_size=8))
def test_what_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    import csv

    path = tmp_path_factory.mktemp("csv") / "t.tsv"
    rows = [["h1", "h2", "h3"], *([f"k{number}", *row[1:]] for number, row in enumerate(cells))]
    rows = [[cell if cell.strip() else "x" for cell in row] for row in rows]  # an empty column would be left out
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    (table,) = load_tables(path).tables
    assert [[" ".join(cell.split()) for cell in row] for row in table.rows] == [
        [" ".join(cell.split()) for cell in row] for row in rows[1:]
    ]


def test_a_quoted_cell_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    text = 'id\ttext\tn\n1\t"line 1\nline 2\twith a tab\n\nline 3"\t5\n2\t"a ""b"" c"\t6\n3\tplain\t7\n'
    (tmp_path / "t.tsv").write_text(text, "utf-8")
    loaded = load_tables(tmp_path / "t.tsv")
    assert [row[1] for row in loaded.tables[0].rows] == ["line 1 line 2\twith a tab line 3", 'a "b" c', "plain"]
    assert loaded.repaired == {}


def test_an_unquoted_file_is_said(tmp_path: Path) -> None:
    for name, mark in (("t.tsv", "\t"), ("t.csv", "|"), ("u.csv", ",")):
        rows = [["id", "text", "lang"], *([str(number), "x", "lp"] for number in range(9))]
        rows[2][1], rows[5][1] = '"So he said', '12"'
        (tmp_path / name).write_text("\n".join(mark.join(row) for row in rows) + "\n", "utf-8")
        loaded = load_tables(tmp_path / name)
        assert len(loaded.tables[0].rows) == 9
        assert loaded.repaired == {UNQUOTED: 1}


RAGGED = [
    ("a,b\n1,2\n1,2,3\n", r":3: ragged row: got 3 cells, the header has 2; 1 of 2 rows are longer; quote cells"),
    ("a,b\n1\n", r":2: ragged row: got 1 cells, the header has 2; quote cells"),
    ("a,b\n" + "1,2\n" * 20 + "1,2,3\n" * 3, r":22: .*3 of 23 rows are longer"),
    ("a,b,c\n" + "1,2,3\n" * 4 + "1,2\n" * 6, r":6: .*6 of 10 rows are shorter"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), RAGGED)
def test_a_file_of_which_too_many_rows_are_ragged_is_no_table(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "t.csv").write_text(text, "utf-8")
    with pytest.raises(InputError, match=told):
        load_tables(tmp_path / "t.csv")


def test_ragged_rows_are_mended_in_every_source(tmp_path: Path) -> None:
    table = {"header": ["a", "b"], "rows": [["1", "2"], ["3"], ["4", "5", ""], ["6", "7", "8"], ["9", "10"], [1, 2]]}
    (tmp_path / "t.jsonl").write_text(json.dumps(table), "utf-8")
    loaded = load_tables(tmp_path / "t.jsonl")
    assert loaded.tables[0].rows == (("1", "2"), ("3", ""), ("4", "5"), ("9", "10"), ("1", "2"))
    assert loaded.repaired == {SHORT: 1, LONG: 1, CUT: 1}


grid_cells = st.sampled_from(["", "", "a", "b", "1", "2020", " ", "x y", "Source:"])


@given(st.lists(st.lists(grid_cells, max_size=5), max_size=9))
def test_no_text_of_a_grid_is_lost_without_a_count(grid: list[list[str]]) -> None:
    found = table_of_grid(grid)
    texts = sum(1 for row in grid if "".join(row).strip())
    if found is None:
        assert texts == 0
        return
    notes = found.notes
    third = notes[SECOND] and texts - len(found.rows) - 2 - notes[ABOVE] - notes[BELOW]
    assert len(found.rows) + 1 + notes[ABOVE] + notes[BELOW] + notes[SECOND] + third == texts
    assert third in (0, 1)
    assert all(count > 0 for count in notes.values())


def test_a_wide_and_sparse_grid_takes_time_in_its_cells_alone() -> None:
    grid = [[f"c{number}" for number in range(16_000)], *(["x"] for _ in range(20_000))]
    found = table_of_grid(grid)
    assert found is not None
    assert len(found.rows) == 20_000
