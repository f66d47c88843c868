"""Faults to plant in the writer of solutions, for tests/test_solutions.py: name -> what is replaced, by a mistake that
a writer could make. Each entry is (where, name or key, replacement), as in tests/sql_faults.py.
"""

from __future__ import annotations

from typing import Any

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.language.vectors import Frame
from symtune.sql.solutions.wordings import NONE
from symtune.sql.solutions.writer import aggregates, queries, rows, saying, windows
from symtune.sql.solutions.writer.lines import Lines
from symtune.sql.solutions.writer.saying import Saying

Fault = list[tuple[Any, Any, Any]]
_terms, _conditions = dict(saying._TERMS), dict(saying._CONDITIONS)
_add, _head, _checked, _distinct = Lines.add, Lines.head, Lines.checked, Lines.distinct
_best, _beside = queries._Queries._best, Saying.beside
_count, _total = Lines.count, Lines.total
_calls, _pairs, _cell, _walk = rows.calls, queries.calls_of_pairs, saying.cell, aggregates.walk
_members, _result, _grouped, _sum = aggregates._members, aggregates._result, queries.grouped, aggregates._sum
_sort, _window, _end = queries.sort_index, windows._walk, windows._end
_ordered, _filtered, _subqueries = queries._Queries._ordered, queries._Queries._filtered, queries._Queries._subqueries
_select, _combined, _source, _inner = (
    queries._Queries._select,
    queries._Queries._combined,
    queries._Queries._source,
    Saying._inner,
)


def _changed(node: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(node, **fields)


def _without(lines: Lines, start: int, which: int) -> None:
    """Remove one of the lines from `start` on."""
    if len(lines.texts) > start + 1:
        del lines.texts[start + which]


def _leaves_a_row_out(self: Lines, *args: Any, **named: Any) -> list[int]:
    start = len(self.texts)
    kept = _checked(self, *args, **named)
    _without(self, start, 0)
    return kept


def _repeats_a_row(self: Lines, *args: Any, **named: Any) -> list[int]:
    kept = _checked(self, *args, **named)
    self.texts.append(self.texts[-1])
    return kept


def _takes_null_for_true(self: Lines, called: Any, told: Saying, condition: Any, *args: Any, **named: Any) -> list[int]:
    kept = _checked(self, called, told, condition, *args, **named)
    for row, hit in enumerate(told.vector(condition).values):
        if hit is None:
            self.add(called[row], told.condition(condition, row), self.wording.yes.format(n=len(kept) + 1))
    return kept


def _in_another_order(self: Lines, *args: Any, **named: Any) -> list[int]:
    start = len(self.texts)
    kept = _checked(self, *args, **named)
    self.texts[start:] = self.texts[start:][::-1]
    return kept


def _says_none(self: Lines, *args: Any, **named: Any) -> list[int]:
    start = len(self.texts)
    kept = _checked(self, *args, **named)
    self.texts[start:] = [NONE]
    return kept


def _of_other_row(self: Saying, expr: Any, row: int) -> str:
    return f"{self.name(expr)} {self.value(expr, (row + 1) % self.frame.size)}"


def _of_other_column(self: Saying, expr: t.Column, row: int) -> str:
    names = [name for columns in self.frame.columns.values() for name in columns]
    other = names[(names.index(expr.name) + 1) % len(names)] if expr.name in names else expr.name
    return f"{other} {self.value(expr, row)}"


def _rewriting(kind: type, change: Any) -> Fault:
    """A condition that is stated as another one; its truth value stays the same."""
    return [(saying._CONDITIONS, kind, lambda self, expr, row: _conditions[kind](self, change(expr), row))]


def _first_part_alone(self: Saying, expr: t.Logic, row: int) -> str:
    return self.condition(expr.parts[0], row)


def _a_part_that_decides_nothing(self: Saying, expr: t.Logic, row: int) -> str:
    whole = self.vector(expr).values[row]
    parts = [part for part in expr.parts if self.vector(part).values[row] is not whole] or list(expr.parts)
    return self.condition(parts[0], row)


def _default_branch(self: Saying, expr: t.Case, row: int) -> str:
    said = [f"{self.condition(condition, row)} no" for condition, _ in expr.whens]
    return f"{', '.join(said)}, so {self.term(expr.default, row)}"


def _last_condition_first(self: Saying, expr: t.Case, row: int) -> str:
    return _terms[t.Case](self, _changed(expr, whens=expr.whens[::-1]), row)


def _running(change: Any) -> Any:
    """A walk whose running numbers come from other values."""

    def walk(lines: Lines, aggregate: Any, below: Any, places: Any) -> Any:
        return change(lines, aggregate, below, places)

    return [(aggregates, "walk", walk), (queries, "walk", walk)]


def _best_of_the_others(lines: Lines, aggregate: Any, below: Any, places: Any) -> Any:
    other = {"MIN": "MAX", "MAX": "MIN"}.get(aggregate.name, aggregate.name)
    return _walk(lines, _changed(aggregate, name=other), below, places)


def _counts_null(lines: Lines, aggregate: Any, below: Any, places: Any) -> Any:
    found = _walk(lines, aggregate, below, places)
    if aggregate.name == "COUNT" and not aggregate.distinct:
        return {row: (below.term(aggregate.arg, row) + lines.count(turn), True) for turn, row in enumerate(found, 1)}
    return found


def _keeps_repeats(lines: Lines, aggregate: Any, below: Any, places: Any) -> Any:
    return _walk(lines, _changed(aggregate, distinct=False), below, places)


def _stops_early(lines: Lines, aggregate: Any, below: Any, places: Any) -> Any:
    found = _walk(lines, aggregate, below, places)
    return {row: said if turn < len(found) - 1 else (said[0], False) for turn, (row, said) in enumerate(found.items())}


def _group_without_last(lines: Lines, *args: Any) -> list[str]:
    said = _members(lines, *args)
    return said[:-1] if len(said) > 1 else said


def _mean_over_all(aggregate: Any, below: Any, whole: Any, place: int, mine: Any) -> str:
    said = _result(aggregate, below, whole, place, mine)
    before, slash, behind = said.partition(" / ")
    return f"{before} / {len(mine)} = {behind.partition(' = ')[2]}" if slash else said


def _groups_in_two(q: t.Select, told: Saying) -> Frame:
    frame = _grouped(q, told)
    parts = [part for group in frame.groups or [] for part in (group[:1], group[1:]) if part or not group]
    return frame.grouped(parts, q.group) if q.group else frame


def _groups_backwards(q: t.Select, told: Saying) -> Frame:
    frame = _grouped(q, told)
    return frame.grouped((frame.groups or [])[::-1], q.group)


def _ascending(keys: Any, directions: Any, size: int) -> Any:
    return _sort(keys, ["ASC"] * len(keys), size)


def _by_the_last_key(keys: Any, directions: Any, size: int) -> Any:
    return _sort(keys[-1:], directions[-1:], size)


def _beside_the_row_before(self: Saying, expr: t.Expr, row: int, sign: str, best: int | None) -> str:
    return _beside(self, expr, row, sign, None if best is None else row - 1)


def _limit(change: int) -> Any:
    def ordered(self: Any, q: t.Select, told: Saying, called: list[str], *, read: bool) -> list[int]:
        limit = q.limit if q.limit is None else max(q.limit + change, 1)
        return _ordered(self, _changed(q, limit=limit), told, called, read=read)

    return ordered


def _no_offset(self: Any, q: t.Select, told: Saying, called: list[str], *, read: bool) -> list[int]:
    return _ordered(self, _changed(q, offset=0), told, called, read=read)


def _no_second_pair(self: Any, source: Any, env: Any) -> Any:
    frame, parts = _source(self, source, env)
    if isinstance(source, t.Join) and len(parts) > 1:
        parts = [*parts[:-1], parts[0]]
    return frame, parts


def _answer_of_another(self: Any, q: t.Select, env: Any, frame: Frame) -> Any:
    start = len(self.lines.texts)
    found = _subqueries(self, q, env, frame)
    for place in range(start, len(self.lines.texts)):
        if self.lines.texts[place].startswith("(") and " = " in self.lines.texts[place]:
            self.lines.texts[place] += "0"
    return found


def _answer_left_out(self: Any, q: t.Select, env: Any, frame: Frame) -> Any:
    start = len(self.lines.texts)
    found = _subqueries(self, q, env, frame)
    self.lines.texts[start:] = [text for text in self.lines.texts[start:] if not text.startswith("(1) = ")]
    return found


def _counts_from_one(self: Any, lines: Lines) -> None:
    self.lines, self._numbers = lines, 1


def _swapped_sides(self: Any, query: t.Query, env: Any, use: Any, head: Any) -> Any:
    if isinstance(query, t.SetQuery):
        query = _changed(query, left=query.right, right=query.left)
    return _query(self, query, env, use, head)


_query = queries._Queries.query


def _other_operation(self: Any, query: Any, sides: Any) -> None:
    other = {"INTERSECT": "EXCEPT", "EXCEPT": "INTERSECT", "UNION": "UNION"}[query.op]
    start = len(self.lines.texts)
    _combined(self, _changed(query, op=other), sides)
    self.lines.texts[start] = self.lines.wording.heads["set"].format(op=query.op)


def _one_side(self: Any, query: Any, sides: Any) -> None:
    _combined(self, query, [sides[0], sides[0]])


def _window_of(change: Any) -> Any:
    def walk(lines: Lines, window: t.Window, told: Saying, called: Any) -> None:
        _window(lines, change(window), told, called)

    return walk


def _rank_and_one(lines: Lines, window: t.Window, told: Saying, row: int, known: Any) -> str:
    said = _end(lines, window, told, row, known)
    head, _, number = said.rpartition(" ")
    return f"{head} {int(number) + 1}" if number.isdigit() else said


def _wrong_witness(self: Saying, query: Any, row: int) -> Any:
    inner, kept, names = _inner(self, query, row)
    return inner, kept[::-1], names


def _no_witness(self: Saying, expr: t.Exists, row: int) -> str:
    said = _conditions[t.Exists](self, expr, row)
    return said.partition(", ")[0] if said.startswith("NOT EXISTS") else said


def _unfiltered(self: Any, q: t.Select, told: Saying, called: Any, parts: Any, folded: Any) -> list[int]:
    start = len(self.lines.texts)
    kept = _filtered(self, q, told, called, parts, folded)
    del self.lines.texts[start:]
    return kept


FAULTS: dict[str, Fault] = {
    "a row is left out": [(Lines, "checked", _leaves_a_row_out)],
    "a row is told twice": [(Lines, "checked", _repeats_a_row)],
    "NULL is taken for true": [(Lines, "checked", _takes_null_for_true)],
    "rows come in another order": [(Lines, "checked", _in_another_order)],
    "no row is kept": [(Lines, "checked", _says_none)],
    "the step of a condition is left out": [(queries._Queries, "_filtered", _unfiltered)],
    "rows are called by their neighbours": [
        (queries, "calls", lambda table, wording: (c := _calls(table, wording))[1:] + c[:1])
    ],
    "rows are counted from 0": [
        (
            queries,
            "calls",
            lambda table, wording: [c.replace(str(n), str(n - 1), 1) for n, c in enumerate(_calls(table, wording), 1)],
        )
    ],
    "rows have no names": [
        (queries, "calls", lambda table, wording: [wording.plain.format(n=n + 1) for n in range(len(table.rows))])
    ],
    "pairs are called by their first row": [
        (
            queries,
            "calls_of_pairs",
            lambda parts, wording: _pairs([dict([next(iter(p.items()))]) for p in parts], wording),
        )
    ],
    "a pair is of another row": [(queries._Queries, "_source", _no_second_pair)],
    "the cell of another row": [(saying._TERMS, t.Column, _of_other_row)],
    "another column": [(saying._TERMS, t.Column, _of_other_column)],
    "NULL is shown as 0": [
        (saying, "cell", lambda vector, row: "0" if vector.values[row] is None else _cell(vector, row))
    ],
    "another comparison": _rewriting(
        t.Compare, lambda e: _changed(e, op={"<": "<=", ">": ">=", "=": ">="}.get(e.op, "="))
    ),
    "sides of a comparison swapped": _rewriting(t.Compare, lambda e: _changed(e, left=e.right, right=e.left)),
    "bounds swapped": _rewriting(t.Between, lambda e: _changed(e, low=e.high, high=e.low)),
    "an item of IN left out": _rewriting(t.InList, lambda e: _changed(e, items=e.items[:-1])),
    "NOT of IN left out": _rewriting(t.InList, lambda e: _changed(e, negated=not e.negated)),
    "NOT of NULL left out": _rewriting(t.IsNull, lambda e: _changed(e, negated=not e.negated)),
    "another pattern": _rewriting(t.Like, lambda e: _changed(e, pattern=e.pattern.strip("%"))),
    "NOT left out": [(saying._CONDITIONS, t.Not, lambda self, expr, row: self.condition(expr.part, row))],
    "one part of several that decide": [(saying._CONDITIONS, t.Logic, _first_part_alone)],
    "a part that decides nothing": [(saying._CONDITIONS, t.Logic, _a_part_that_decides_nothing)],
    "the default branch": [(saying._TERMS, t.Case, _default_branch)],
    "the last branch first": [(saying._TERMS, t.Case, _last_condition_first)],
    "arithmetic without brackets": [(saying, "_COMPOSITE", ())],
    "a wrong sum": [(aggregates, "_sum", lambda values: _sum(values) + 1)],
    "a sum that begins anew": [(aggregates, "_sum", lambda values: _sum(values[-1:]))],
    "a count from 0": [(Lines, "count", lambda self, number: _count(self, number - 1))],
    "sums of whole numbers": [(Lines, "total", lambda self, value: _total(self, int(value)))],
    "NULL is counted": _running(_counts_null),
    "repeats are counted": _running(_keeps_repeats),
    "least for most": _running(_best_of_the_others),
    "the last row is not read": _running(_stops_early),
    "a mean over NULL": [(aggregates, "_result", _mean_over_all)],
    "a member is left out": [(aggregates, "_members", _group_without_last)],
    "a group in two": [(queries, "grouped", _groups_in_two)],
    "groups in another order": [(queries, "grouped", _groups_backwards)],
    "always ascending": [(queries, "sort_index", _ascending)],
    "sorted by the last key": [(queries, "sort_index", _by_the_last_key)],
    "one row too many": [(queries._Queries, "_ordered", _limit(1))],
    "one row too few": [(queries._Queries, "_ordered", _limit(-1))],
    "OFFSET forgotten": [(queries._Queries, "_ordered", _no_offset)],
    "DISTINCT forgotten": [
        (
            Lines,
            "distinct",
            lambda self, called, values, texts: _distinct(self, called, list(range(len(values))), texts),
        )
    ],
    "the first is the best": [
        (
            queries._Queries,
            "_best",
            lambda self, q, said, called, index, places, *, read: _best(self, q, said, called, index, index, read=read),
        )
    ],
    "what is shown of the best is left out": [
        (queries._Queries, "_best", lambda self, *args, read: _best(self, *args, read=False))
    ],
    "beside the row before, not the best": [(Saying, "beside", _beside_the_row_before)],
    "beside another value": [
        (Saying, "beside", lambda self, expr, row, sign, best: _beside(self, expr, row, sign, row if best else best))
    ],
    "beside nothing": [(Saying, "beside", lambda self, expr, row, sign, best: self.term(expr, row))],
    "the other sign": [
        (Saying, "beside", lambda self, expr, row, sign, best: _beside(self, expr, row, "<>"[sign == "<"], best))
    ],
    "the answer of a subquery is wrong": [(queries._Queries, "_subqueries", _answer_of_another)],
    "the answer of a subquery is left out": [(queries._Queries, "_subqueries", _answer_left_out)],
    "another subquery": [(queries._Queries, "__init__", _counts_from_one)],
    "sides swapped": [(queries._Queries, "query", _swapped_sides)],
    "another set operation": [(queries._Queries, "_combined", _other_operation)],
    "one side twice": [(queries._Queries, "_combined", _one_side)],
    "partitions forgotten": [(windows, "_walk", _window_of(lambda w: _changed(w, partition=())))],
    "window in another order": [
        (
            windows,
            "_walk",
            _window_of(
                lambda w: _changed(
                    w, order=tuple(_changed(o, direction="DESC" if o.direction == "ASC" else "ASC") for o in w.order)
                )
            ),
        )
    ],
    "RANK for DENSE_RANK": [
        (
            windows,
            "_walk",
            _window_of(lambda w: _changed(w, name={"DENSE_RANK": "RANK", "LAG": "LEAD"}.get(w.name, w.name))),
        )
    ],
    "ranks from 2": [(windows, "_end", _rank_and_one)],
    "the last witness": [(Saying, "_inner", _wrong_witness)],
    "nothing beside NOT EXISTS": [(saying._CONDITIONS, t.Exists, _no_witness)],
    "first lines are left out": [(Lines, "head", lambda self, step, **names: None)],
    "another step is announced": [
        (
            Lines,
            "head",
            lambda self, step, **names: _head(self, {"where": "having", "order": "group"}.get(step, step), **names),
        )
    ],
    "aliases are left out": [(Saying, "item", lambda self, item, row: self.term(item.expr, row))],
    "rows are not said": [(Lines, "add", lambda self, row, said, end="": _add(self, "" if said else row, said, end))],
}
