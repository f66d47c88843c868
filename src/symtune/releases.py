"""What benchmarks share for reading their official releases.

path = split_file(Path("SQA"), "validation", {"validation": "random-split-1-dev"}, ".tsv", "the release of SQA")
tables = ReleaseTables(Path("SQA"), "sqa")
for where, row in read_tsv(Path("data/training.tsv"), ("id", "utterance")): ...
for where, cells in csv_rows(Path("data/test/astronomy_test.csv")): ...
in_turn([5, 1, 9], limit=6)                        ->  [3, 1, 2]
take_in_turn([["a", "b"], ["c"]], limit=2)         ->  ["a", "c"]
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar, cast

from symtune.files import open_bytes
from symtune.seeds import digest
from symtune.tables import load_tables
from symtune.types import InputError, Table, UnknownName

Item = TypeVar("Item")


def read_tsv(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """("file:line", row) of a tsv file with a header, with cells as they are written: no quoting, and lines end at line
    feeds. Raises InputError, with file and line, if a column is missing or a row has too few or too many cells.
    """
    return _under_header(_tsv_rows(path), columns)


def read_csv(path: Path, columns: Sequence[str], delimiter: str = ",") -> Iterator[tuple[str, dict[str, str]]]:
    """("file:line", row) of a csv file with a header. Raises InputError as `read_tsv` and `csv_rows` do."""
    return _under_header(csv_rows(path, delimiter), columns)


def csv_rows(path: Path, delimiter: str = ",") -> Iterator[tuple[str, list[str]]]:
    """("file:line", cells) of a csv file as in RFC 4180: cells in quotation marks may contain delimiters, line breaks
    and doubled quotation marks. Blank lines are skipped. Raises InputError, with file and line.
    """
    with open_bytes(path) as stream:
        text = io.TextIOWrapper(cast(io.BufferedReader, stream), "utf-8", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        begun = 1
        try:
            for cells in reader:
                if cells:
                    yield f"{path}:{begun}", cells
                begun = reader.line_num + 1
        except csv.Error as error:
            raise InputError(f"{path}:{begun}: not csv: {error}") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8: byte 0x{error.object[error.start]:02x} past line {begun}") from None


def _tsv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            where = f"{path}:{number}"
            try:
                cells = line.decode("utf-8").removesuffix("\n").removesuffix("\r").split("\t")
            except UnicodeDecodeError as error:
                raise InputError(f"{where}: not UTF-8: byte 0x{line[error.start]:02x} at {error.start}") from None
            if cells != [""]:
                yield where, cells


def _under_header(
    rows: Iterator[tuple[str, list[str]]], columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    header: list[str] = []
    for where, cells in rows:
        if not header:
            header = cells
            missing = [name for name in columns if name not in header]
            if missing:
                raise InputError(f"{where}: no column {missing[0]!r}; wanted {', '.join(columns)}")
        else:
            if len(cells) != len(header):
                raise InputError(f"{where}: got {len(cells)} columns, wanted {len(header)} as in the header")
            yield where, dict(zip(header, cells, strict=True))


def first_of(path: Path, items: Iterable[Item], limit: int | None, noun: str = "questions") -> list[Item]:
    """The first `limit` of the items in a file, or all. Raises InputError if there are none."""
    first = list(islice(items, limit))
    if not first:
        raise InputError(f"{path}: no {noun} in it")
    return first


def split_file(folder: Path, split: str, names: Mapping[str, str], ending: str, release: str, but: str = "") -> Path:
    """The file of a split in a folder: the one that `names` gives for the split, else the one with the requested name.
    On disk, names have an `ending`; files that end in `but` are not splits. Raises InputError or UnknownName, with the
    files that exist.
    """
    if not folder.is_dir():
        absent = folder if folder.parent.is_dir() else folder.parent
        raise InputError(f"{absent}: no such folder; wanted {release}")
    found = [path.name for path in folder.glob(f"*{ending}") if not (but and path.name.endswith(but))]
    there = sorted(name.removesuffix(ending) for name in found)
    if not there:
        raise InputError(f"{folder}: no *{ending} here; wanted {release}")
    name = f"{names.get(split, split)}{ending}"
    if name in found:
        return folder / name
    if split in names:
        raise InputError(f"{folder / name}: no such file (split {split}); there are {', '.join(there)}")
    raise UnknownName("split", split, [*names, *there])


class ReleaseTables:
    """The tables of a release, as `symtune.tables` loads them, by the names that its questions use."""

    def __init__(self, source: Path, layout: str) -> None:
        loaded = load_tables(source, layout=layout)
        self._tables = {table.id: table for table in loaded.tables}
        self._dropped = ", ".join(loaded.dropped)

    def find(self, name: str, file: Path, *, where: str, question: str) -> Table:
        """The table of a question. `file` holds it, `where` names the question. Raises InputError."""
        if name in self._tables:
            return self._tables[name]
        why = f"is not a usable table ({self._dropped})" if self._dropped and file.is_file() else "is not there"
        raise InputError(f"{where}: {file}, the table of {question}, {why}")


def choose(items: Sequence[Item], number: int, key: Callable[[Item], str]) -> list[Item]:
    """A number of the items, chosen independently of their order: those whose keys have the smallest digests. Raises
    InputError if there are too few.
    """
    if number > len(items):
        raise InputError(f"{number} are wanted, but there are only {len(items)}")
    return sorted(items, key=lambda item: digest(key(item)))[:number]


def in_turn(sizes: Sequence[int], limit: int | None) -> list[int]:
    """How many to take from each group, given their sizes, for `limit` in all: one from each in turn."""
    if limit is None or sum(sizes) <= limit:
        return list(sizes)
    taken, left = [0] * len(sizes), limit
    while left:
        growing = [place for place, size in enumerate(sizes) if taken[place] < size]
        share = max(1, min(left // len(growing), min(sizes[place] - taken[place] for place in growing)))
        for place in growing[:left]:
            taken[place] += share
            left -= share
    return taken


def take_in_turn(groups: Sequence[Sequence[Item]], limit: int | None) -> list[Item]:
    """The items of the groups, `limit` in all if it is given: the first items of each group, taken in turn."""
    taken = in_turn([len(group) for group in groups], limit)
    return [item for group, number in zip(groups, taken, strict=True) for item in group[:number]]
