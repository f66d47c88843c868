"""Few tables: shares given by the user, and one table split by its rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.tables import Shares, TableSet, content_hash, load_tables, rows_of_split, split_of, tables_of_split
from symtune.tables.splits import assign, row_hash, row_splits
from symtune.types import SPLITS, InputError, Split, Table

SOME = Shares(60, 20, 20)


def folder(path: Path, number: int) -> Path:
    for at in range(number):
        (path / f"{at}.csv").write_text(f"name,n\nx{at},{at}\ny,2\n", "utf-8")
    return path


@pytest.mark.parametrize("text", ["60,20,20", " 60, 20 ,20", "60%,20%,20%"])
def test_shares_are_three_per_cents(text: str) -> None:
    assert Shares.parse(text) == SOME
    assert Shares.parse(str(SOME)) == SOME


@pytest.mark.parametrize(
    "text", ["", "60,20", "60,20,30", "60,20,x", "-10,60,50", "0.6,0.2,0.2", "60,20,20,0", "1e1,45,45", "²,49,49"]
)
def test_other_shares_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--split-shares .*wanted the per cent of train, validation and test"):
        Shares.parse(text)


def test_the_default_shares_part_as_ever() -> None:
    for number in range(300):
        content = content_hash([[str(number)]])
        percent = int(content, 16) % 100
        assert split_of(content) == ("train" if percent < 90 else "validation" if percent < 95 else "test")


@pytest.mark.parametrize("number", [3, 4, 5, 9])
def test_no_split_of_few_tables_is_empty(tmp_path: Path, number: int) -> None:
    loaded = load_tables(folder(tmp_path, number))
    parts = [tables_of_split(loaded, split, SOME).tables for split in SPLITS]
    assert all(parts)
    assert sorted(table.id for part in parts for table in part) == [table.id for table in loaded.tables]


def test_many_tables_fall_by_their_hash_alone(tmp_path: Path) -> None:
    loaded = load_tables(folder(tmp_path, 150))
    for split in SPLITS:
        kept = tables_of_split(loaded, split, SOME)
        assert {table.id for table in kept.tables} == {
            id for id, its in loaded.content.items() if split_of(its, SOME) == split
        }


def test_a_split_without_a_table_says_who_put_them_where(tmp_path: Path) -> None:
    loaded = load_tables(folder(tmp_path, 1))
    (tmp_path / "tables.jsonl").write_text(json.dumps({"id": "t", "header": ["a"], "rows": [[1]]}), "utf-8")
    empty = next(split for split in SPLITS if split != split_of(loaded.content["0.csv"]))
    told = rf"no table of the split '{empty}': their contents assign 1 to \w+; .*--split-shares 60,20,20; --split-rows"
    with pytest.raises(InputError, match=told):
        tables_of_split(loaded, empty)
    held = TableSet(loaded.tables, official={"0.csv": "test"}, content=loaded.content)
    with pytest.raises(InputError, match=r"'train': the release assigns 1 to test; add tables, or use --split test$"):
        tables_of_split(held, "train")


shares = (
    st.tuples(st.integers(0, 100), st.integers(0, 100))
    .map(sorted)
    .map(lambda cut: Shares(cut[0], cut[1] - cut[0], 100 - cut[1]))
)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([None, *SPLITS])), max_size=12), shares)
def test_shares_leave_none_empty_and_no_content_in_two_splits(
    drawn: list[tuple[int, Split | None]], shares: Shares
) -> None:
    ids = [f"t{number}" for number in range(len(drawn))]
    content = {id: content_hash([[str(digit)]]) for id, (digit, _) in zip(ids, drawn, strict=True)}
    official = {id: split for id, (_, split) in zip(ids, drawn, strict=True) if split}
    splits, dropped = assign(ids, official, content, {}, (), shares)
    assert sorted([*splits, *dropped]) == sorted(ids)
    for value in set(content.values()):
        assert len({splits[id] for id in splits if content[id] == value}) <= 1
    if not official and len(set(content.values())) >= 3:
        wanted = {split for split, share in zip(SPLITS, shares.each, strict=True) if share}
        assert wanted == set(splits.values())


def test_the_order_of_tables_decides_nothing() -> None:
    content = {f"t{number}": content_hash([[str(number)]]) for number in range(4)}
    one, _ = assign(sorted(content), {}, content, {}, (), SOME)
    two, _ = assign(sorted(content, reverse=True), {}, content, {}, (), SOME)
    assert one == two


rows = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3).map(str)), min_size=1, max_size=30)


@given(rows, shares)
def test_rows_are_parted_by_their_content(drawn: list[tuple[str, str]], shares: Shares) -> None:
    table = Table("t", ("name", "n"), ("text", "number"), tuple(drawn))
    tables = TableSet((table,), content={"t": content_hash(table)})
    parts: dict[Split, tuple[tuple[str, ...], ...]] = {}
    for split in SPLITS:
        try:
            (part,) = rows_of_split(tables, split, shares).tables
        except InputError:
            continue
        assert (part.types, part.header) == (table.types, table.header)
        parts[split] = part.rows
    assert sorted(row for part in parts.values() for row in part) == sorted(drawn)
    sets = [set(part) for part in parts.values()]
    assert len(set().union(*sets)) == sum(map(len, sets))
    distinct = len(set(drawn))
    for split, share in zip(SPLITS, shares.each, strict=True):
        number = len(set(parts.get(split, ())))
        assert abs(number - distinct * share / 100) <= 2
        assert number or not share or distinct < 3


def test_equal_rows_of_several_tables_fall_on_one_side() -> None:
    body = [(f"x{number}", str(number)) for number in range(60)]
    one = Table("a", ("name", "n"), ("text", "number"), tuple(body))
    two = Table("b", ("name", "n"), ("text", "number"), (*body[30:], ("X59 ", "59"), ("new", "1")))
    tables = TableSet((one, two), content={"a": content_hash(one), "b": content_hash(two)})
    train, test = (rows_of_split(tables, split, SOME) for split in ("train", "test"))
    seen = {row_hash(row) for table in train.tables for row in table.rows}
    assert not seen & {row_hash(row) for table in test.tables for row in table.rows}
    assert not set(train.content.values()) & set(test.content.values())
    assert train.official == {"a": "train", "b": "train"}
    assert tables_of_split(test, "test").tables == test.tables
    with pytest.raises(InputError, match="the release says which tables"):
        rows_of_split(train, "train")


def test_a_table_without_rows_in_a_split_is_counted() -> None:
    many = Table("a", ("n",), ("number",), tuple((str(number),) for number in range(50)))
    alone = Table("b", ("n",), ("number",), (("0",),))
    tables = TableSet((many, alone), content={"a": "0" * 32, "b": "1" * 32})
    lacking: Split = "test" if row_splits(many.rows)[row_hash(("0",))] != "test" else "train"
    assert rows_of_split(tables, lacking).dropped == {f"no rows in {lacking}": 1}
    with pytest.raises(
        InputError, match=r"none of 50 different rows falls into validation \(100,0,0\); raise its share"
    ):
        rows_of_split(tables, "validation", Shares(100, 0, 0))
