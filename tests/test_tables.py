"""Loading: headers, cells, broken files, splits by content, exclusion, views."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.tables import (
    content_hash,
    cut_for_question,
    exclude_tables,
    load_tables,
    make_view,
    split_of,
    tables_of_split,
)
from symtune.tables.clean import clean_header, clean_rows
from symtune.tables.splits import _TRANSLITERATE, assign
from symtune.types import InputError, Table, UnknownName

cells = st.text(max_size=12)
tricky = st.one_of(cells, st.sampled_from(["", "\x1f", "\x1e", "ßÅ_ℕ\ud800", "한국어 ﬁ²"]))


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


HEADERS = [
    (["a", "b"], ["a", "b"]),
    ([" a\n b ", "c\t"], ["a b", "c"]),
    (["", "b", " "], ["column 1", "b", "column 3"]),
    (["a", "A", "a"], ["a", "A (2)", "a (3)"]),
    (["a", "a", "a (2)"], ["a", "a (3)", "a (2)"]),
    (["column 2", ""], ["column 2", "column 2 (2)"]),
    (["Straße", "STRASSE"], ["Straße", "STRASSE (2)"]),
    (["a\0", "b\ud800"], ["a\ufffd", "b\ufffd"]),
]


@pytest.mark.parametrize(("raw", "wanted"), HEADERS)
def test_headers_become_unique_names(raw: list[str], wanted: list[str]) -> None:
    from collections import Counter

    assert list(clean_header(raw, Counter())) == wanted


@given(st.lists(st.sampled_from(["a", "A", "", "a (2)", "A (2)", "column 2", "é", "\n", "É"]), max_size=9))
def test_headers_are_unique_without_regard_to_case_and_never_empty(raw: list[str]) -> None:
    from collections import Counter

    names = clean_header(raw, Counter())
    assert len({name.casefold() for name in names}) == len(names) == len(raw)
    assert all(names)
    assert clean_header(names, Counter()) == names


@given(st.lists(st.lists(st.text(max_size=9), min_size=2, max_size=2), max_size=4))
def test_cells_stay_on_one_line_and_can_be_stored(rows: list[list[str]]) -> None:
    from collections import Counter

    for row in clean_rows(rows, Counter()):
        for cell in row:
            assert len(cell.splitlines()) <= 1
            assert cell == cell.strip()
            cell.encode("utf-8")
            assert "\0" not in cell


def test_cells_are_kept_as_written_and_repairs_are_counted(tmp_path: Path) -> None:
    text = '"a",b\n" x  y ","1\r\n2"\n"{{ b }}",\U0001f600|\n"\0",""""\n'
    loaded = load_tables(write(tmp_path / "t.csv", text))
    assert loaded.tables[0].rows == (("x  y", "1 2"), ("{{ b }}", "\U0001f600|"), ("\ufffd", '"'))
    assert loaded.repaired == {"cell with NUL or a lone surrogate: replaced by U+FFFD": 1}


def test_long_cells_are_read_and_the_limit_of_the_process_stays(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    loaded = load_tables(write(tmp_path / "t.csv", "a,b\n" + "x" * 300_000 + ",1\n"))
    assert len(loaded.tables[0].rows[0][0]) == 300_000
    assert csv.field_size_limit() == before


BROKEN = [
    ("ragged.csv", "a,b\n1,2\n1,2,3\n", "ragged row", ":3: "),
    ("short.csv", "a,b\n1\n", "ragged row", ":2: "),
    ("quote.csv", 'a,b\n1,2\n"3,4\n', "broken csv", ":3: "),
    ("after.csv", 'a,b\n"1"x,2\n', "broken csv", ":2: "),
    ("empty.csv", "", "empty file", "empty"),
    ("blank.csv", "\n\n", "empty file", "empty"),
    ("header.csv", "a,b\n", "no rows", "no rows"),
    ("image.csv", b"\x81\x8d\x8f\x90\x9d", "unknown encoding", "encoding"),
    ("lines.jsonl", '{"header": ["a"], "rows": [["1"]]}\n{"header"\n', "broken jsonl", ":2: "),
    ("deep.jsonl", "[" * 100_000, "broken jsonl", "nested too deeply"),
    ("other.jsonl", "[1]\n", "jsonl line without a header and rows of cells", ":1: "),
    ("texts.jsonl", '{"header": ["a"], "rows": ["x"]}\n', "jsonl line without a header and rows of cells", ":1: "),
    ("rows.jsonl", '{"a": 1}\n[1]\n', "broken jsonl", ":2: "),
    ("nothing.jsonl", "\n", "empty file", "empty"),
    (
        "nested.jsonl",
        '{"header": ["a"], "rows": [[{"b": 1}]]}\n',
        "jsonl line without a header and rows of cells",
        ":1:",
    ),
    ("not.jsonl.gz", b"not gzip", "unreadable file", "not.jsonl.gz"),
    ("not.csv.gz", b"not gzip", "unreadable file", "not.csv.gz"),
    ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "unreadable file", "cut.csv.gz"),
    ("not.parquet", b"PAR1 not parquet", "unreadable file", "not.parquet"),
]


@pytest.mark.parametrize(("name", "text", "reason", "told"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_broken_file_raises_alone_and_is_counted_among_others(
    tmp_path: Path, name: str, text: str | bytes, reason: str, told: str
) -> None:
    broken = write(tmp_path / "folder" / name, text)
    with pytest.raises(InputError) as raised:
        load_tables(broken)
    assert str(broken) in str(raised.value)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    good = "jsonl" if "jsonl" in name else "csv"
    write(tmp_path / "folder" / f"good.{good}", '{"header": ["x"], "rows": [["1"]]}' if good == "jsonl" else "x\n1\n")
    loaded = load_tables(tmp_path / "folder")
    assert loaded.dropped == {reason: 1}
    assert "good" in " ".join(table.id for table in loaded.tables)


def test_nothing_to_read_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        load_tables(tmp_path / "nowhere")
    with pytest.raises(InputError, match="empty folder"):
        load_tables(tmp_path)
    write(tmp_path / "readme.md", "# no table")
    with pytest.raises(InputError, match="no tables that symtune can read"):
        load_tables(tmp_path)
    write(tmp_path / "bad.csv", "a,b\n1\n")
    with pytest.raises(InputError, match=r"no usable table \(1 dropped; the first: .*bad.csv:2: ragged row\)"):
        load_tables(tmp_path)
    with pytest.raises(UnknownName, match="Did you mean 'csv'"):
        load_tables(tmp_path, layout="cvs")


def test_other_encodings_and_delimiters_of_spreadsheets(tmp_path: Path) -> None:
    write(tmp_path / "bom.csv", b"\xef\xbb\xbfa;b\n1,5;\xc3\xa9\n")
    write(tmp_path / "latin.csv", b"a,b\n1,caf\xe9\n")
    write(tmp_path / "utf16.csv", "a\tb\n1\té\n".encode("utf-16"))
    loaded = load_tables(tmp_path)
    assert {table.id: (table.header, table.rows) for table in loaded.tables} == {
        "bom.csv": (("a", "b"), (("1,5", "é"),)),
        "latin.csv": (("a", "b"), (("1", "café"),)),
        "utf16.csv": (("a", "b"), (("1", "é"),)),
    }
    assert loaded.repaired == {"file is not UTF-8: read as Windows-1252 (guessed)": 1}


DIALECTS = [  # what people's programs write; all of it is this table
    ("rfc.csv", 'a,"b c",d\n1,"x, y",2\n'),
    ("cr.csv", 'a,b c,d\r1,"x, y",2\r'),
    ("semicolon.csv", "a;b c;d\n1;x, y;2\n"),
    ("excel.csv", "sep=;\r\na;b c;d\r\n1;x, y;2\r\n"),
    ("tab.csv", "\na\tb c\td\n1\tx, y\t2\n"),
    ("pipe.csv", "a|b c|d\n1|x, y|2\n"),
    ("space.csv", 'a, b c, "d"\n1, "x, y", "2"\n'),
    ("plain.tsv", "a\tb c\td\n1\tx, y\t2\n"),
    ("packed.csv.gz", gzip.compress(b'a,b c,d\n1,"x, y",2\n', mtime=0)),
    ("quoted.tsv", 'a\t"b c"\td\n1\t"x, y"\t2\n'),
]


@pytest.mark.parametrize(("name", "text"), DIALECTS, ids=[case[0] for case in DIALECTS])
def test_dialects_of_delimited_text(tmp_path: Path, name: str, text: str | bytes) -> None:
    (table,) = load_tables(write(tmp_path / name, text)).tables
    assert (table.header, table.rows) == (("a", "b c", "d"), (("1", "x, y", "2"),))


QUOTES = [
    ("inch.csv", 'a,b\n5" pipe,1\n', ('5" pipe', "1")),
    ("space.csv", 'a,b\nx, "y" z\n', ("x", '"y" z')),  # no quoted cell: text that begins with a quoted word
    ("backslash.csv", 'a,b\n"5\\" pipe, x","c\\\\d"\n', ('5" pipe, x', "c\\d")),
    ("open.tsv", 'a\tb\n"x\t1\n', ('"x', "1")),
    ("word.tsv", 'a\tb\n"x" y\t1\n', ('"x" y', "1")),
    ("comma.csv", '"a, b";c\n1,5;2\n', ("1,5", "2")),
    ("list.csv", '"a;b;c",d\n1,x;y\n', ("1", "x;y")),
]


@pytest.mark.parametrize(("name", "text", "row"), QUOTES, ids=[case[0] for case in QUOTES])
def test_quotes_and_delimiters_inside_cells(tmp_path: Path, name: str, text: str, row: tuple[str, ...]) -> None:
    assert load_tables(write(tmp_path / name, text)).tables[0].rows == (row,)


def test_the_same_tables_load_alike_wherever_the_folder_lies(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        for name in ("b/x.csv", "a.csv", "B.csv", ".hidden/y.csv"):
            write(tmp_path / folder / name, f"n\n{name}\n")
    one, two = load_tables(tmp_path / "one"), load_tables(tmp_path / "two")
    assert one == two
    assert [table.id for table in one.tables] == ["B.csv", "a.csv", "b/x.csv"]
    write(tmp_path / "two" / "a.csv", "n\nother\n")
    assert load_tables(tmp_path / "two").sha256 != one.sha256


def test_ids_that_repeat_are_told_apart(tmp_path: Path) -> None:
    lines = [{"id": "t", "header": ["a"], "rows": [[number]]} for number in range(3)]
    write(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines)))
    assert [table.id for table in load_tables(tmp_path).tables] == ["t", "t (2)", "t (3)"]


# Content and splits


SAME_CONTENT = [
    [["Gojō", "£5,000 – x"], ["Ole Strømme", "12°"]],
    [["gojo ", "PS5,000 - X"], ["OLE  STROMME", "12deg"]],
]


def test_the_content_hash_sees_through_how_a_release_writes() -> None:
    one, two = SAME_CONTENT
    assert content_hash(one) == content_hash(two)
    assert content_hash(Table("t", tuple(one[0]), ("text", "text"), (tuple(one[1]),))) == content_hash(one)
    assert len(content_hash(one)) == 32


@given(
    st.lists(st.lists(st.sampled_from(["", "a", "b", "中", "1", "é"]), min_size=2, max_size=2), min_size=2, max_size=4)
)
def test_another_content_is_another_hash(rows: list[list[str]]) -> None:
    assert content_hash(rows) != content_hash([*rows, ["c", "1"]])
    assert content_hash([["c", *row] for row in rows]) != content_hash(rows)
    assert content_hash([[row[0] + "z", *row[1:]] for row in rows]) != content_hash(rows)


@given(st.lists(st.lists(tricky, max_size=4), max_size=4))
def test_the_content_hash_is_of_the_text_folded_as_documented(rows: list[list[str]]) -> None:
    text = "\x1e".join("\x1f".join(cell.replace("\x1f", " ").replace("\x1e", " ") for cell in row) for row in rows)
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_TRANSLITERATE))
    folded = "".join(mark for mark in folded if mark.isalnum() or mark in "\x1f\x1e")
    if not folded.strip("\x1f\x1e"):
        folded = text.casefold()
    assert content_hash(rows) == hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def test_tables_of_signs_alone_differ() -> None:
    assert content_hash([["+"], ["-"]]) != content_hash([["-"], ["+"]])


def test_the_hash_puts_about_90_5_5_percent() -> None:
    splits = [split_of(content_hash([[str(number)], ["x"]])) for number in range(4_000)]
    assert 0.88 < splits.count("train") / 4_000 < 0.92
    assert 0.035 < splits.count("validation") / 4_000 < 0.065


def test_held_out_copies_win_and_followers_follow() -> None:
    ids = ["a", "b", "c", "d", "e"]
    content = {"a": "1" * 32, "b": "1" * 32, "c": "1" * 32, "d": "2" * 32, "e": "3" * 32}
    splits, dropped = assign(
        ids, {"a": "train", "b": "test", "d": "train", "e": "validation"}, content, {"d": "o", "e": "o"}
    )
    assert splits == {"b": "test", "c": "test", "e": "validation"}
    assert dropped == ("a", "d")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([None, "train", "validation", "test"]), st.integers(0, 3)))
)
def test_no_content_and_no_origin_stands_in_two_splits(drawn: list[tuple[int, str | None, int]]) -> None:
    ids = [f"t{number}" for number in range(len(drawn))]
    content = {id: f"{digit:032x}" for id, (digit, _, _) in zip(ids, drawn, strict=True)}
    official = {id: split for id, (_, split, _) in zip(ids, drawn, strict=True) if split}
    origin = {id: f"o{number}" for id, (_, _, number) in zip(ids, drawn, strict=True) if number}
    splits, dropped = assign(ids, official, content, origin)
    assert sorted([*splits, *dropped]) == sorted(ids)
    for key in (content, origin):
        for value in set(key.values()):
            assert len({splits[id] for id in splits if key.get(id) == value}) <= 1
    assert all(splits[id] == split for id, split in official.items() if id in splits)
    assert all(official[id] != "test" for id in dropped)


@pytest.fixture
def some(tmp_path: Path) -> Path:
    for number in range(150):
        write(tmp_path / "tables" / f"{number:03}.csv", f"name,n\nx{number},{number}\ny,2\n")
    return tmp_path / "tables"


def test_splits_part_the_tables(some: Path) -> None:
    loaded = load_tables(some)
    parts = [tables_of_split(loaded, split) for split in ("train", "validation", "test")]
    assert sorted(table.id for part in parts for table in part.tables) == [table.id for table in loaded.tables]
    assert all(set(part.content) == {table.id for table in part.tables} for part in parts)
    with pytest.raises(UnknownName, match="split"):
        tables_of_split(loaded, "dev")  # type: ignore[arg-type]


def test_excluded_tables_are_left_out_by_content_and_counted(some: Path, tmp_path: Path) -> None:
    loaded = load_tables(some)
    other = write(tmp_path / "bench" / "other.csv", "NAME,N\nX7,7\nY,2\n")
    left = exclude_tables(loaded, str(other))
    assert {table.id for table in loaded.tables} - {table.id for table in left.tables} == {"007.csv"}
    assert left.dropped == {f"excluded: also in {other}": 1}
    held = tables_of_split(loaded, "validation").tables
    left = exclude_tables(loaded, f"{some}:validation")
    assert len(left.tables) == 150 - len(held)
    with pytest.raises(InputError, match="leaves none"):
        exclude_tables(loaded, str(some))
    with pytest.raises(InputError, match="no such file"):
        exclude_tables(loaded, "wtq:validation")
    with pytest.raises(UnknownName, match="split to exclude"):
        exclude_tables(loaded, f"{some}:dev")


# Views


@pytest.fixture
def rivers() -> Table:
    rows = [(f"river {number}", str(number), "flows") for number in range(40)]
    rows[17] = ("Zambezi", "17", "flows")
    return Table("rivers", ("name", "n", "what"), ("text", "number", "text"), tuple(rows))


def test_a_view_keeps_types_and_says_where_it_comes_from(rivers: Table) -> None:
    view = make_view(rivers, [3, 1], [1, 0], id="v")
    assert view == Table("v", ("n", "name"), ("number", "text"), (("3", "river 3"), ("1", "river 1")), source="rivers")
    assert make_view(view, [0], [0], id="vv").source == "rivers"
    assert make_view(rivers, range(40), range(3), id="rivers").rows == rivers.rows


def at_most(rows: int) -> Callable[[Table], bool]:
    return lambda table: len(table.rows) <= rows


def test_a_long_table_is_cut_around_the_question(rivers: Table) -> None:
    cut, dropped = cut_for_question(rivers, "How long is the Zambezi?", at_most(4))
    assert [row[1] for row in cut.rows] == ["0", "1", "17", "39"]
    assert dropped == 36
    assert cut_for_question(rivers, "How long?", at_most(40)) == (rivers, 0)


@given(st.integers(0, 45), st.text(max_size=20))
def test_as_few_rows_as_needed_are_dropped_and_few_questions_asked(size: int, question: str) -> None:
    table = Table("t", ("n",), ("number",), tuple((str(number),) for number in range(40)))
    asked = []

    def fits(candidate: Table) -> bool:
        asked.append(len(candidate.rows))
        return len(candidate.rows) <= size

    cut, dropped = cut_for_question(table, question, fits)
    assert len(cut.rows) == min(max(size, 1), 40)
    assert len(cut.rows) + dropped == 40
    assert len(asked) <= 8
    numbers = [int(row[0]) for row in cut.rows]
    assert numbers == sorted(numbers)


def test_a_table_without_rows_or_with_one_that_does_not_fit_is_still_answered() -> None:
    none = Table("t", ("n",), ("text",), ())
    one = Table("t", ("n",), ("text",), (("x",),))
    assert cut_for_question(none, "?", lambda _: False) == (none, 0)
    assert cut_for_question(one, "?", lambda _: False) == (one, 0)


# The bundled tables


def test_the_bundled_tables_load_whole_and_have_every_split() -> None:
    loaded = load_tables(None)
    assert len(loaded.tables) == 127
    assert sum(len(table.rows) for table in loaded.tables) == 19_048
    assert loaded.layout == "default"
    assert loaded.dropped == {}
    assert [len(tables_of_split(loaded, split).tables) for split in ("train", "validation", "test")] == [100, 13, 14]


def test_every_bundled_table_has_a_licence() -> None:
    folder = Path(__import__("symtune").__file__).parent / "tables" / "default"
    lines = list(csv.DictReader((folder / "LICENSES.tsv").open(encoding="utf-8"), delimiter="\t"))
    assert {line["table_id"] for line in lines} == {table.id for table in load_tables(None).tables}
    assert all(line["license"] and line["source"] for line in lines)


def test_loading_does_not_depend_on_the_order_of_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"id": f"t{number}", "header": ["a"], "rows": [[number]]}) for number in range(9)]
    write(tmp_path / "a.jsonl", "\n".join(lines))
    random.Random(0).shuffle(lines)
    write(tmp_path / "b.jsonl", "\n".join(lines))
    assert load_tables(tmp_path / "a.jsonl").tables == load_tables(tmp_path / "b.jsonl").tables
