"""The expected lines of DISTINCT, ORDER BY and window functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.solutions.verifier.expected import End, Lines
from symtune.sql.solutions.verifier.places import Place
from symtune.sql.solutions.verifier.values import Cell, computed, total
from symtune.sql.solutions.verifier.words import Words


def in_order(words: Words, keys: Sequence[t.Order], places: Sequence[Place]) -> list[Place]:
    """The places in the order of the keys; those with equal keys keep their order."""
    found = list(places)
    for key in reversed(keys):
        worth = {id(at): words.execution.worth(key.expr, at).value for at in found}
        found.sort(key=lambda at, worth=worth: worth[id(at)], reverse=key.direction == "DESC")  # type: ignore[misc]
    return found


def is_search(q: t.Select) -> bool:
    """Whether a query orders rows only to keep the first one: it is found by going through them once."""
    return len(q.order) > 0 and (q.limit, q.offset) == (1, 0)


def order(lines: Lines, words: Words, q: t.Select, places: Sequence[Place], *, read: bool) -> list[Place]:
    """The step of ORDER BY with LIMIT, and the places that are left. `read`: the search for the first one also states
    what is shown of each place that leads.
    """
    found = in_order(words, q.order, places)
    stop = len(found) if q.limit is None else q.offset + q.limit
    keys = [key.expr for key in q.order]
    lines.head("order")
    if is_search(q):
        rank = {id(at): turn for turn, at in enumerate(found)}
        leader: Place | None = None
        for at in places:
            leads = leader is None or rank[id(at)] < rank[id(leader)]
            ends = [lines.wording.best if leads else lines.wording.worse]
            if leads and read:
                ends.append(f", {words.items(q, at)}")
            said = partial(words.terms, keys, at)
            if len(keys) == 1:
                said = partial(words.against, keys[0], at, ">" if q.order[0].direction == "DESC" else "<", leader)
            lines.line(at.call, said, *ends, needed=leads)
            leader = at if leads else leader
    else:
        for turn, at in enumerate(found, start=1):
            end = lines.wording.place.format(n=turn)
            lines.line(at.call, partial(words.terms, keys, at), end, needed=turn <= stop)
    return found[q.offset : stop]


def distinct(lines: Lines, words: Words, q: t.Select, places: Sequence[Place]) -> list[Place]:
    """The step of DISTINCT, and the first place of each value."""
    seen, first = set[Any](), list[Place]()
    lines.head("distinct")
    for at in places:
        values = tuple([words.execution.worth(item.expr, at).value for item in q.items])
        new = values not in seen
        if new:
            seen.add(values)
            first.append(at)
        end = End(lines.wording.new, len(first), 1, "new") if new else lines.wording.seen
        lines.line(at.call, partial(words.items, q, at), end, needed=new)
    return first


# ----------------------------------------------------------------------------------------------------------- windows


def windows(lines: Lines, words: Words, q: t.Select, places: Sequence[Place]) -> None:
    """The steps of the window functions of a query; their values are kept with the places."""
    aliases = {item.expr: item.alias for item in reversed(q.items)}
    found = [node for part in (*q.items, *q.order) for node in _windows(part)]
    for window in dict.fromkeys(found):
        named = aliases.get(window, "")
        lines.head("each", name=f"{window.name} AS {named}" if named else window.name)
        parts: dict[tuple[Any, ...], list[Place]] = {}
        for at in places:
            key = tuple([words.execution.worth(expr, at).value for expr in window.partition])
            parts.setdefault(key, []).append(at)
        for turn, members in enumerate(parts.values()):
            members = in_order(words, window.order, members)
            _yield(words, window, members)
            _tell(lines, words, window, members, turn)


def _windows(node: Any) -> list[t.Window]:
    if type(node) is t.Window:
        return [node]
    inside = () if type(node) in (t.ScalarQuery, t.InQuery, t.Exists) else t.children(node)
    return [window for child in inside for window in _windows(child)]


def _read(words: Words, window: t.Window, places: Sequence[Place]) -> list[Cell]:
    """What a window function reads from each place; 1 if it counts."""
    return [Cell(1, "1") if window.arg is None else words.execution.worth(window.arg, at) for at in places]


def _yield(words: Words, window: t.Window, places: Sequence[Place]) -> None:
    """Keep the value of the function with each place of a partition. The places are in order."""
    args = _read(words, window, places)
    keys = [tuple([words.execution.worth(key.expr, at).value for key in window.order]) for at in places]
    for turn, at in enumerate(places):
        known = [cell.value for cell in (args[: turn + 1] if window.order else args) if cell.value is not None]
        first = keys.index(keys[turn])
        if window.name in ("LAG", "LEAD"):
            other = turn + (1 if window.name == "LEAD" else -1)
            at.found[window] = args[other] if 0 <= other < len(args) else computed(None)
        elif window.name == "SUM":
            at.found[window] = computed(total(known) if known else None)
        elif window.name == "COUNT":
            at.found[window] = computed(len(known))
        elif window.name == "DENSE_RANK":
            at.found[window] = computed(len(set(keys[: first + 1])))
        else:
            at.found[window] = computed((turn if window.name == "ROW_NUMBER" else first) + 1)


def _tell(lines: Lines, words: Words, window: t.Window, places: Sequence[Place], part: int) -> None:
    """The lines of a partition."""
    shown = list(dict.fromkeys([*window.partition, *[key.expr for key in window.order], *filter(None, [window.arg])]))
    known: list[Any] = []
    for at, cell in zip(places, _read(words, window, places), strict=True):
        known += [] if cell.value is None else [cell.value]
        end: End | str = f", {words.term(window, at)}"
        if window.name == "COUNT":
            end = End(lines.wording.count, len(known), int(cell.value is not None), f"count {part}")
        elif window.name == "SUM":
            end = End(lines.wording.total, total(known), cell.value or 0, f"sum {part}")
        lines.line(at.call, partial(words.terms, shown, at), end)
    if not window.order:
        lines.line("", partial(words.terms, [*window.partition, window], places[0]))
