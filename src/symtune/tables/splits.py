"""Splits by content: two tables with the same content are never in different splits.

The content hash covers the header and the cells as they were published, folded so that a table has the same content in
two releases. One release may write "£5,000 – Gojō" and another "PS5,000 - Gojo", so letters are case-folded and
stripped of accents, and everything except letters and digits (of any script) is left out. The order of rows and columns
matters. Headers are hashed before they are made unique.

If a release gives a split, that takes precedence. Otherwise the hash decides: 90 % train, 5 % validation, 5 % test, or
the shares given by the user. With such shares, a split that would have no table gets one from the largest split, since
a hash may put three tables anywhere.

The rows of a table can also be split, ordered by a hash of their cells: equal rows, in one table or in several, are in
the same split.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from symtune.types import SPLITS, InputError, Split, Table

_CELL, _ROW = "\x1f", "\x1e"
_ASCII_NOISE = bytes(code for code in range(128) if not chr(code).isalnum() and chr(code) not in _CELL + _ROW)
_BEYOND_ASCII = re.compile("[^\0-\x7f]{1,32}")  # letters are folded one by one, so long runs may be cut
# Letters and signs that Unicode does not decompose, as they are written in ASCII transliterations of tables.
_TRANSLITERATE = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t",
    "°": "deg", "£": "ps", "€": "eur", "®": "r", "©": "c", "×": "x",
    "ʻ": "", "ʼ": "", "ʽ": "", "ˈ": "", "ˑ": "", "ː": "",
})  # fmt: skip


def content_hash(table: Table | Sequence[Sequence[str]]) -> str:
    """The 128-bit hash (32 hexadecimal digits) of a table's normalised content.

    Takes a Table, or the raw rows with the header first. Pass the raw rows if you have them: the header of a Table was
    made unique, which changes the content if names were repeated.
    """
    rows = (table.header, *table.rows) if isinstance(table, Table) else table
    text = _ROW.join([_CELL.join(row) for row in rows])
    if text.count(_CELL) + text.count(_ROW) != sum(map(len, rows)) - 1:
        # Separators inside cells could give two tables the same text, so they are first removed from cells.
        text = _ROW.join([_CELL.join([cell.replace(_CELL, " ").replace(_ROW, " ") for cell in row]) for row in rows])
    folded = _fold(text)
    if not folded.strip((_CELL + _ROW).encode()):  # only signs: then the signs are the content
        folded = text.casefold().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(folded, digest_size=16).hexdigest()


def _fold(text: str) -> bytes:
    text = text.casefold()
    if not text.isascii():
        text = _BEYOND_ASCII.sub(lambda found: _fold_foreign(found[0]), text)
    return text.encode("utf-8").translate(None, _ASCII_NOISE)


@lru_cache(maxsize=1 << 12)
def _fold_foreign(text: str) -> str:
    """Letters beyond ASCII without accents."""
    plain = unicodedata.normalize("NFKD", text.translate(_TRANSLITERATE))
    return "".join([mark for mark in plain if mark.isalnum() or mark.isascii()])


@dataclass(frozen=True, slots=True)
class Shares:
    """The share of the material in each split, in per cent. Raises InputError if they do not add up to 100."""

    train: int = 90
    validation: int = 5
    test: int = 5

    def __post_init__(self) -> None:
        if min(self.each) < 0 or sum(self.each) != 100:
            got = ",".join(map(str, self.each))
            raise InputError(
                f"--split-shares {got}: wanted the per cent of train, validation and test, which add up to 100"
            )

    @property
    def each(self) -> tuple[int, int, int]:
        """The shares in the order of SPLITS."""
        return self.train, self.validation, self.test

    @classmethod
    def parse(cls, text: str) -> Shares:
        """The shares in a text like "60,20,20". Raises InputError for any other text."""
        numbers = [part.strip().removesuffix("%") for part in text.split(",")]
        if len(numbers) != len(SPLITS) or not all(number.isdecimal() and len(number) < 4 for number in numbers):
            raise InputError(
                f"--split-shares {text!r}: wanted the per cent of train, validation and test, as in 60,20,20"
            )
        return cls(*map(int, numbers))

    def __str__(self) -> str:
        return ",".join(map(str, self.each))


DEFAULT_SHARES = Shares()


def split_of(content: str, shares: Shares = DEFAULT_SHARES) -> Split:
    """The split of a content hash: by default 90 % train, 5 % validation, 5 % test."""
    percent = int(content, 16) % 100
    return "train" if percent < shares.train else "validation" if percent < shares.train + shares.validation else "test"


def row_splits(rows: Iterable[Sequence[str]], shares: Shares = DEFAULT_SHARES) -> dict[int, Split]:
    """The split of every distinct row (by `row_hash`). In the order of their hashes, each split gets as many rows as
    its share says, and if there are enough rows, at least one if its share is not 0.
    """
    hashes = sorted({row_hash(row) for row in rows})
    counts = [len(hashes) * share // 100 for share in shares.each]
    rest = sorted(range(len(counts)), key=lambda at: (-(len(hashes) * shares.each[at] % 100), at))
    for at in rest[: len(hashes) - sum(counts)]:
        counts[at] += 1
    for at, share in enumerate(shares.each):
        if share and not counts[at] and max(counts) > 1:
            counts[counts.index(max(counts))] -= 1
            counts[at] = 1
    names = [split for split, count in zip(SPLITS, counts, strict=True) for _ in range(count)]
    return dict(zip(hashes, names, strict=True))


def row_hash(row: Sequence[str]) -> int:
    """The hash of a row's normalised content."""
    return int(content_hash([row])[:16], 16)


def assign(
    ids: Iterable[str],
    official: Mapping[str, Split],
    content: Mapping[str, str],
    origin: Mapping[str, str],
    linked: Iterable[tuple[str, str]] = (),
    shares: Shares | None = None,
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """The split of each table id, and the ids to drop: copies of a table that a release holds out elsewhere.

    Tables with the same content hash or the same origin, and tables linked by a foreign key (`linked`, pairs of ids),
    get the same split: the most held-out split (test, then validation, then train) that a release gives to any of them,
    or else that of the content hash. A table that a release puts into a less held-out split than its copy is dropped; a
    table without an official split follows its copies. With `shares`, no split with a share above 0 stays empty if
    there are enough tables.
    """
    ids = list(ids)
    group = _groups(ids, content, origin, linked)
    free = {root: split_of(content[root], shares or DEFAULT_SHARES) for root in {group[id] for id in ids}}
    held: dict[str, int] = {}
    for table in ids:
        if table in official:
            rank = SPLITS.index(official[table])
            held[group[table]] = max(rank, held.get(group[table], 0))
    free = {root: split for root, split in free.items() if root not in held}
    if shares is not None:
        _fill(free, {SPLITS[rank] for rank in held.values()}, content, shares)
    splits: dict[str, Split] = {}
    dropped = []
    for table in ids:
        root = group[table]
        if root not in held:
            splits[table] = free[root]
        elif table in official and SPLITS.index(official[table]) < held[root]:
            dropped.append(table)
        else:
            splits[table] = SPLITS[held[root]]
    return splits, tuple(dropped)


def _fill(free: dict[str, Split], there: set[Split], content: Mapping[str, str], shares: Shares) -> None:
    """Give each split that has a share but no tables a group from the largest split, test first."""
    wanted = dict(zip(SPLITS, shares.each, strict=True))
    order: tuple[Split, ...] = ("test", "train", "validation")
    for split in order:
        found = Counter(free.values())
        if not wanted[split] or found[split] or split in there or not free:
            continue
        largest = max(SPLITS, key=lambda name: found[name])
        if found[largest] > 1 or largest in there:
            root = min((root for root, its in free.items() if its == largest), key=lambda root: (content[root], root))
            free[root] = split


def _groups(
    ids: Sequence[str], content: Mapping[str, str], origin: Mapping[str, str], linked: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """table id -> the id that stands for its group (equal content, equal origin, or a foreign key between them)."""
    parent = {table: table for table in ids}

    def root(table: str) -> str:
        while parent[table] != table:
            parent[table] = parent[parent[table]]
            table = parent[table]
        return table

    first: dict[tuple[str, str], str] = {}
    for table in ids:
        for key in (("content", content[table]), ("origin", origin.get(table, ""))):
            if key[1]:
                one, other = root(first.setdefault(key, table)), root(table)
                parent[max(one, other)] = min(one, other)
    for pair in linked:
        if pair[0] in parent and pair[1] in parent:
            one, other = map(root, pair)
            parent[max(one, other)] = min(one, other)
    return {table: root(table) for table in ids}
