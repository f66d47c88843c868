"""The expected lines of conditions, aggregates and groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.solutions.verifier.expected import End, Lines
from symtune.sql.solutions.verifier.places import Place
from symtune.sql.solutions.verifier.values import number, total
from symtune.sql.solutions.verifier.words import Words
from symtune.sql.solutions.wordings import NONE

Ends = list[End | str]


def conditions(
    lines: Lines,
    words: Words,
    condition: Any,
    places: Sequence[Place],
    *,
    pairs: Sequence[tuple[str, Callable[[], str]]] = (),
    read: Any = None,
) -> list[Place]:
    """Every place, with what decides the condition. Those for which it is true are needed, and are returned. `pairs`:
    for the rows of a join, how they are referred to and what must be said about them first. `read`: what is read from
    a row that is kept, by an aggregate or as what is shown.
    """
    kept: list[Place] = []
    running = Running(lines, words, read) if isinstance(read, t.Aggregate) else None
    for turn, at in enumerate(places):
        stays = words.execution.holds(condition, at) is True
        ends: Ends = [lines.wording.no]
        if stays:
            kept.append(at)
            ends = [End(lines.wording.yes, len(kept), 1, "kept")]
            if running is not None:
                told, tail, _ = running.add(at)
                ends += [f", {told()}", *tail]
            elif read is not None:
                ends.append(f", {words.items(read, at)}")
        said = partial(words.condition, condition, at)
        if pairs:
            call, first = pairs[turn]
            lines.line(call, partial(_both, first, said), *ends, needed=stays)
        else:
            lines.line(at.call, said, *ends, needed=stays)
    if not kept:
        lines.line("", partial(str, NONE))
    return kept


def _both(first: Callable[[], str], said: Callable[[], str]) -> str:
    return f"{first()}; {said()}"


def aggregates(q: t.Select) -> list[t.Aggregate]:
    """The aggregates of a query, each once."""
    waiting: list[Any] = [*q.items, *([] if q.having is None else [q.having]), *q.order]
    found: list[t.Aggregate] = []
    while waiting:
        node = waiting.pop(0)
        if type(node) is t.Aggregate:
            found += [] if node in found else [node]
        elif type(node) not in (t.ScalarQuery, t.InQuery, t.Exists, t.Window):
            waiting[:0] = t.children(node)
    return found


def is_one_group(q: t.Select) -> bool:
    """Whether a query without GROUP BY yields one row for all rows together."""
    return not q.group and (q.having is not None or bool(aggregates(t.Select(q.items, None))))


# -------------------------------------------------------------------------------------------------------- aggregates


class Running:
    """What an aggregate has read so far."""

    def __init__(self, lines: Lines, words: Words, aggregate: t.Aggregate) -> None:
        self._wording, self._words, self._aggregate = lines.wording, words, aggregate
        self._read: list[Any] = []
        self._leader: Place | None = None  # of MIN and MAX

    def add(self, at: Place) -> tuple[Callable[[], str], Ends, bool]:
        """What the line of the next row says, how it ends, and whether the row changes anything."""
        name, arg = self._aggregate.name, self._aggregate.arg
        value = self._words.execution.worth(arg, at).value
        said = partial(self._words.term, arg, at)
        if name in ("MIN", "MAX"):
            if value is not None:
                said = partial(self._words.against, arg, at, "<" if name == "MIN" else ">", self._leader)
            leads = value is not None and all(value > one if name == "MAX" else value < one for one in self._read)
            if leads:
                self._read, self._leader = [value], at
            return said, [self._wording.best if leads else self._wording.worse], leads
        if self._aggregate.distinct and value in self._read:
            return said, [self._wording.seen], False
        if value is not None:
            self._read.append(value)
        ends: Ends = []
        if name != "COUNT":
            ends.append(End(self._wording.total, total(self._read), value or 0, "sum"))
        if name != "SUM":
            ends.append(End(self._wording.count, len(self._read), int(value is not None), "count"))
        return said, ends, value is not None


def over_all(
    lines: Lines, words: Words, found: Sequence[t.Aggregate], whole: Place, *, listed: bool, read: Any
) -> None:
    """Aggregates over all rows. `listed`: an earlier step has gone through the rows; `read`: what one aggregate read
    there."""
    rows = whole.members or ()
    for aggregate in found:
        if aggregate is not read and (aggregate.arg is not None or not listed):
            lines.head("each", name=words.title(aggregate))
            running = Running(lines, words, aggregate)
            for place, at in enumerate(rows, start=1):
                if aggregate.arg is None:
                    lines.line(at.call, str, End(lines.wording.count, place, 1, "count"))
                    continue
                said, ends, needed = running.add(at)
                lines.line(at.call, said, *ends, needed=needed)
        lines.line("", partial(_result, words, aggregate, whole))


def of_groups(lines: Lines, words: Words, found: Sequence[t.Aggregate], groups: Sequence[Place]) -> None:
    """Groups with their members, and what aggregates read from these."""
    if None in [aggregate.arg for aggregate in found] or not found:
        lines.head("group")
        for group in groups:
            members = group.members or ()
            calls = ", ".join([at.call for at in members])
            lines.line(group.call, partial(str, calls), lines.wording.count.format(n=len(members)))
    for aggregate in found:
        if aggregate.arg is not None:
            lines.head("each", name=words.title(aggregate))
            for group in groups:
                lines.line(group.call, partial(_of_group, lines, words, aggregate, group))


def _of_group(lines: Lines, words: Words, aggregate: t.Aggregate, group: Place) -> str:
    said, read = [], list[Any]()
    for at in group.members or ():
        value = words.execution.worth(aggregate.arg, at).value
        text = f"{at.call} {words.term(aggregate.arg, at)}"
        if value is not None and not (aggregate.distinct and value in read):
            read.append(value)
            if aggregate.name in ("SUM", "AVG"):
                text += lines.wording.total.format(x=number(total(read)))
        said.append(text)
    return "; ".join([*said, _result(words, aggregate, group)])


def _result(words: Words, aggregate: t.Aggregate, whole: Place) -> str:
    """The result of an aggregate; a mean is written as a quotient."""
    quotient = ""
    if aggregate.name == "AVG" and (read := words.execution.read(aggregate, whole.members)):
        quotient = f"{number(total(read))} / {len(read)} = "
    return f"{words.title(aggregate)} = {quotient}{words.value(aggregate, whole)}"
