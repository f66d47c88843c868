"""Rows of tokens -> packs: many records in one forward pass, with a shared prompt prefix computed once.

A pack is a forest of tokens. Each record is a path from a root, and records that begin with the same tokens share the
beginning of their paths (with `share=False`, each record is a separate tree). A token's position is its depth, and it
attends only to its ancestors and itself. So a causal model computes for every record exactly what it would compute for
that record alone: the loss is the same, and a table that twenty programs ask about is read once.

    plan = plan_packs(rows, max_length=1024, share=True, order="shuffled", seed=7, epoch=0)
    arrays = layout([rows[k] for k in plan[0].rows], share=True)

The tokens of a pack are the *computed* tokens: those that the model actually processes. Needs only numpy. All lengths
are in tokens.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from symtune.seeds import rng

Tokens = npt.NDArray[np.int32]
Order = Literal["shuffled", "as_given"]

# Neighbours are packed as a group if they share at least this part of the shorter prompt, beyond what all prompts
# share (a system turn). Sharing less does not justify keeping together records that shuffling would spread.
GROUP_SHARE = 0.5
# For an encoder-decoder, batches of similar length are formed among this many rows of a shuffled order: enough to keep
# padding below 2.5 % for prompts like those of WikiTableQuestions, few enough for batches to differ between passes.
WINDOW_BATCHES, WINDOW_LEAST = 256, 512


@dataclass(frozen=True, slots=True)
class Row:
    """One record, in tokens. The model reads `tokens[:-1]`; the loss is computed on the last `trained` tokens."""

    tokens: Tokens
    trained: int

    @property
    def prompt(self) -> int:
        """The length of the prompt."""
        return len(self.tokens) - self.trained


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows that are computed together. `tokens`: computed tokens; `effective`: the tokens if each row were computed
    alone."""

    rows: tuple[int, ...]
    tokens: int
    effective: int
    trained: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrays of a pack of L computed tokens with T trained ones.

    `ids`, `positions`: (L,), depth-first. `mask`: (L, L), true where row attends to column. `places`, `targets`: (T,);
    the output at `places[t]` must predict the token `targets[t]`. `branches`: where branches leave the chain that all
    rows share (none for a single row).
    """

    ids: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    mask: npt.NDArray[np.bool_]
    places: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    branches: npt.NDArray[np.int64]


def layout(rows: Sequence[Row], *, share: bool) -> Layout:
    """Lay the rows out as a forest of tokens."""
    ids: list[int] = []
    parents: list[int] = []
    places: list[int] = []
    targets: list[int] = []
    children: dict[tuple[int, int], int] = {}
    for row in sorted(rows, key=lambda row: sort_key(row.tokens)) if share else rows:
        if not share:
            children = {}
        node = -1
        tokens = row.tokens.tolist()
        for place, token in enumerate(tokens[:-1]):
            child = children.get((node, token))
            if child is None:
                child = len(ids)
                children[node, token] = child
                ids.append(token)
                parents.append(node)
            node = child
            if place >= row.prompt - 1:
                places.append(node)
                targets.append(tokens[place + 1])
    mask = np.eye(len(ids), dtype=np.bool_)
    fork = np.array(parents, np.int64)
    children_of = np.bincount(fork + 1, minlength=len(ids) + 1)  # of the root, then of each token
    chain = int(np.argmax(children_of != 1)) - 1  # the last token of the chain, -1 if there is none
    for node, parent in enumerate(parents):  # parents precede their children
        if parent >= 0:
            mask[node] |= mask[parent]
    return Layout(
        np.array(ids, np.int64),
        mask.sum(axis=1, dtype=np.int64) - 1,
        mask,
        np.array(places, np.int64),
        np.array(targets, np.int64),
        np.flatnonzero(fork == chain),
    )


def plan_packs(rows: Sequence[Row], *, max_length: int, share: bool, order: Order, seed: int, epoch: int) -> list[Pack]:
    """One pass over the rows, in packs of up to `max_length` computed tokens (no row may be longer).

    Rows that share a long prefix go into one pack. "shuffled": groups, and rows within them, are in an order
    drawn by seed and epoch; "as_given": the order of the rows, and only neighbours are grouped.
    """
    draw = rng("packs", seed, epoch)
    indices = list(range(len(rows)))
    if order == "shuffled":
        draw.shuffle(indices)
    groups = _groups(rows, indices, sort=order == "shuffled") if share else [[index] for index in indices]
    if order == "shuffled":
        for group in groups:
            draw.shuffle(group)
    pieces = [piece for group in groups for piece in _split(rows, group, max_length, share)]
    if order == "shuffled":
        draw.shuffle(pieces)
    packs: list[Pack] = []
    forest = Forest(rows, share)
    for piece in pieces:
        larger = forest.with_rows(piece)
        if forest.indices and larger.tokens > max_length:
            packs.append(forest.pack())
            larger = Forest(rows, share).with_rows(piece)
        forest = larger
    return [*packs, forest.pack()] if forest.indices else packs


def plan_batches(rows: Sequence[Row], *, limit: int, order: Order, seed: int, epoch: int) -> list[Pack]:
    """One pass over the rows of an encoder-decoder, in padded batches of up to `limit` tokens (or of one row).

    "shuffled": rows of similar length go together, found within windows of a shuffled order.
    """
    draw = rng("batches", seed, epoch)
    indices = list(range(len(rows)))
    if order == "shuffled":
        draw.shuffle(indices)
        mean = max(1, sum(len(row.tokens) for row in rows) // max(1, len(rows)))
        size = max(WINDOW_LEAST, WINDOW_BATCHES * (limit // mean))
        windows = [indices[start : start + size] for start in range(0, len(indices), size)]
        indices = [k for window in windows for k in sorted(window, key=lambda k: (rows[k].prompt, rows[k].trained))]
    batches: list[list[int]] = []
    for index in indices:
        if batches and _padded(rows, [*batches[-1], index]) <= limit:
            batches[-1].append(index)
        else:
            batches.append([index])
    if order == "shuffled":
        draw.shuffle(batches)
    return [
        Pack(
            tuple(batch),
            _padded(rows, batch),
            sum(len(rows[index].tokens) for index in batch),
            sum(rows[index].trained for index in batch),
        )
        for batch in batches
    ]


def _padded(rows: Sequence[Row], indices: Sequence[int]) -> int:
    longest = max(rows[k].prompt for k in indices) + max(rows[k].trained for k in indices)
    return len(indices) * longest


class Forest:
    """Rows that are computed together, and how many tokens that takes: as many as `layout` would give."""

    def __init__(self, rows: Sequence[Row], share: bool) -> None:
        self.rows, self.share = rows, share
        self.indices: list[int] = []
        self.tokens = 0
        self._keys: list[bytes] = []  # the paths, sorted: a path shares the most with a neighbour

    def with_rows(self, indices: Sequence[int]) -> Forest:
        """A new forest of these rows and more."""
        larger = Forest(self.rows, self.share)
        larger.indices, larger.tokens, larger._keys = self.indices[:], self.tokens, self._keys[:]
        for index in indices:
            larger.add(index)
        return larger

    def cost(self, index: int) -> int:
        """How many tokens the row would add."""
        path = self.rows[index].tokens[:-1]
        if not self.share or not self._keys:
            return len(path)
        place = bisect.bisect(self._keys, sort_key(path))
        near = self._keys[max(0, place - 1) : place + 1]
        return len(path) - max(common_prefix(np.frombuffer(key, ">u4"), path) for key in near)

    def add(self, index: int) -> None:
        """Add one row."""
        self.tokens += self.cost(index)
        self.indices.append(index)
        if self.share:
            bisect.insort(self._keys, sort_key(self.rows[index].tokens[:-1]))

    def pack(self) -> Pack:
        """The pack of these rows."""
        return Pack(
            tuple(self.indices),
            self.tokens,
            sum(len(self.rows[index].tokens) - 1 for index in self.indices),
            sum(self.rows[index].trained for index in self.indices),
        )


def common_prefix(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> int:
    """How many tokens two sequences have in common at their beginning."""
    length = min(len(a), len(b))
    differ = np.flatnonzero(a[:length] != b[:length])
    return int(differ[0]) if len(differ) else length


def sort_key(tokens: Tokens) -> bytes:
    """A sort key that brings together token sequences with a common beginning."""
    return tokens.astype(">u4").tobytes()


def _groups(rows: Sequence[Row], indices: list[int], *, sort: bool) -> list[list[int]]:
    """Runs of rows in which each shares a long prefix with the one before."""
    if sort:
        by_tokens = sorted(range(len(rows)), key=lambda index: sort_key(rows[index].tokens))
        first, last = rows[by_tokens[0]].tokens, rows[by_tokens[-1]].tokens
        head = common_prefix(first, last)
    else:
        by_tokens = indices
        head = min((common_prefix(rows[0].tokens, row.tokens) for row in rows), default=0)
    groups: list[list[int]] = []
    for index in by_tokens:
        if groups and _belongs(rows[groups[-1][-1]], rows[index], head):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _belongs(before: Row, row: Row, head: int) -> bool:
    own = min(before.prompt, row.prompt) - head
    return own <= 0 or common_prefix(before.tokens, row.tokens) - head >= GROUP_SHARE * own


def _split(rows: Sequence[Row], group: list[int], max_length: int, share: bool) -> list[list[int]]:
    """A group cut into pieces that each fit a pack."""
    pieces = []
    forest = Forest(rows, share)
    for index in group:
        if forest.indices and forest.tokens + forest.cost(index) > max_length:
            pieces.append(forest.indices)
            forest = Forest(rows, share)
        forest.add(index)
    return [*pieces, forest.indices]
