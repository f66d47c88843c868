"""The expected lines of a query, and what it yields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.solutions.verifier import orders, steps
from symtune.sql.solutions.verifier.execution import Execution
from symtune.sql.solutions.verifier.expected import End, Lines
from symtune.sql.solutions.verifier.places import Place, Tables, Yield
from symtune.sql.solutions.verifier.values import Cell
from symtune.sql.solutions.verifier.words import Words
from symtune.sql.solutions.wordings import MISSING, NONE, Wording
from symtune.types import Rejected

MOST_PLACES = 200_000  # rows that are visited in all


class Queries:
    """Solves queries; `lines` are the expected lines so far."""

    def __init__(self, wording: Wording) -> None:
        self.wording, self.lines = wording, Lines(wording)
        self._number = self._places = 0

    def solve(
        self, query: t.Query, tables: Tables, use: str, head: Mapping[str, Any], outer: Place | None = None
    ) -> Yield:
        """The lines of a query, and its rows. `use`: what the rows are used for: as the `answer`, as one `value`, as a
        `list` for IN or EXISTS, as `rows` to read from, as a `side` of a set operation. `head`: the first line.
        """
        if isinstance(query, t.Select):
            return self._select(query, tables, use, head, outer)
        if head:
            self.lines.head(**head)
        left = self._select(query.left, tables, "side", {"which": "left"}, outer)
        right = self._select(query.right, tables, "side", {"which": "right"}, outer)
        return self._combine(query.op, left, right)

    def _inner(self, query: t.Query, tables: Tables, at: Place) -> Yield:
        """The rows of a subquery that refers to an outer row. Its lines are not part of the solution."""
        kept, self.lines = self.lines, Lines(self.wording)
        try:
            return self.solve(query, tables, "value", {}, at)
        finally:
            self.lines = kept

    def _combine(self, op: str, left: Yield, right: Yield) -> Yield:
        rows = [*left.rows, *right.rows]
        if op != "UNION ALL":
            self.lines.head("set", op=op)
            keys = [[tuple([cell.value for cell in row]) for row in side.rows] for side in (left, right)]
            first: dict[Any, Sequence[Cell]] = {}
            for key, row in zip([*keys[0], *keys[1]], rows, strict=True):
                first.setdefault(key, row)
            rows, wanted = [], 0
            for key, row in first.items():
                where = "both" if key in keys[0] and key in keys[1] else "left" if key in keys[0] else "right"
                needed = where == ("left" if op == "EXCEPT" else "both")
                wanted += needed
                rows += [row] if needed or op == "UNION" else []
                end = End(self.wording.yes, wanted, 1, "kept") if needed else self.wording.no
                ends = [] if op == "UNION" else [end]
                self.lines.line(self._call(row), partial(str, where), *ends, needed=needed)
            if not wanted:
                self.lines.line("", partial(str, NONE))
        return Yield(left.names, [self._call(row) for row in rows], rows)

    def _call(self, row: Sequence[Cell]) -> str:
        return self.wording.value.format(cells=" / ".join([cell.text for cell in row]))

    # ------------------------------------------------------------------------------------------------ one SELECT

    def _select(self, q: t.Select, tables: Tables, use: str, head: Mapping[str, Any], outer: Place | None) -> Yield:
        begun = len(self.lines.found)
        for name, body in q.ctes:
            tables = tables.extended(name, self.solve(body, tables, "rows", {"which": "with", "name": name}, outer))
        places = self._from(q.source, tables, outer)
        execution = Execution(tables, self._inner)
        words = Words(execution, self.wording)
        self._called(q.source, places, tables)
        self._subqueries(q, execution, tables, _aliases(q.source))
        if head:
            self.lines.head(**head)
        elif len(self.lines.found) > begun:
            self.lines.head("main")
        at_once = self._read_at_once(q, use)
        places = self._filter(q, words, places, at_once)
        if q.group or steps.is_one_group(q):
            places = self._group(q, words, places, tables, outer, at_once)
        orders.windows(self.lines, words, q, places)
        if q.distinct:
            places = orders.distinct(self.lines, words, q, places)
        read = self._is_read(q, use)
        if q.order:
            places = orders.order(self.lines, words, q, places, read=read)
        elif q.limit is not None:
            places = places[: q.limit]
        if places and read and not (isinstance(at_once, t.Select) or orders.is_search(q)):
            self.lines.head("select")
            for at in places:
                self.lines.line(at.call, partial(words.items, q, at))
        names = [item.alias or getattr(item.expr, "name", "") for item in q.items]
        rows = [[execution.worth(item.expr, at) for item in q.items] for at in places]
        return Yield(names, [at.call for at in places], rows)

    def _read_at_once(self, q: t.Select, use: str) -> Any:
        """What is read from the rows as WHERE keeps them: by the only aggregate, or as what is shown."""
        if q.where is None or q.group:
            return None
        if steps.is_one_group(q):
            found = steps.aggregates(q)
            return found[0] if len(found) == 1 and found[0].arg is not None else None
        later = q.distinct or q.order or t.Window in map(type, t.walk(q.items))
        return q if not later and self._is_read(q, use) else None

    def _is_read(self, q: t.Select, use: str) -> bool:
        """Whether what is shown must be read in a step, because no earlier step states it."""
        if q.distinct and not q.order:
            return False
        kinds = {type(item.expr) for item in q.items}
        if steps.is_one_group(q) and kinds == {t.Aggregate}:
            return False
        renamed = [i for i in q.items if type(i.expr) is t.Column and i.alias not in ("", i.expr.name)]
        return use != "rows" or bool(renamed) or not kinds <= {t.Column, t.Window}

    def _from(self, source: t.Source | None, tables: Tables, outer: Place | None) -> list[Place]:
        """The rows of FROM, with the rows that are joined in them."""
        if source is None:
            return [Place("", {}, outer)]
        if isinstance(source, t.Join):
            left, right = self._from(source.left, tables, outer), self._from(source.right, tables, outer)
            self._count(len(left) * len(right))
            execution, pairs = Execution(tables, self._inner), list[Place]()
            for one, other in product(left, right):
                pair = Place("", {**one.cells, **other.cells}, outer, {**one.parts, **other.parts})
                if execution.holds(source.on, pair):
                    pairs.append(pair)
            return pairs
        alias = source.alias if isinstance(source, t.Derived) else source.alias or source.name
        if isinstance(source, t.Derived):
            rows = self.solve(source.query, tables, "rows", {"which": "from", "name": alias}, outer)
        elif source.name not in tables.by_name:
            raise Rejected("unknown table", source.name)
        else:
            rows = tables.by_name[source.name]
        self._count(len(rows.rows))
        return [
            Place(call, {alias: named}, outer, {alias: call})
            for call, named in zip(rows.calls, rows.named(), strict=True)
        ]

    def _count(self, places: int) -> None:
        self._places += places
        if self._places > MOST_PLACES:
            raise Rejected("too many steps", f"more than {MOST_PLACES:,} rows to look at")

    def _subqueries(self, q: t.Select, execution: Execution, tables: Tables, aliases: set[str]) -> None:
        """The steps of subqueries that refer to no row of this query, in the order in which they occur."""
        for clause in (q.where, *q.group, q.having, *q.items, *q.order):
            for node in _with_queries(clause):
                query = node.query
                if query in execution.solved or _looks_at(query, aliases):
                    continue
                self._number += 1
                number, one = self._number, isinstance(node, t.ScalarQuery)
                found = self.solve(query, tables, "value" if one else "list", {"which": "query", "k": number})
                execution.solved[query] = number, found
                if one:
                    text = found.rows[0][0].text if found.rows else MISSING
                    self.lines.line("", partial(str, f"({number}) = {text}"))
                elif isinstance(node, t.Exists):
                    self.lines.line("", partial(str, f"({number}) has {len(found.rows)}"))

    def _called(self, source: t.Source | None, places: list[Place], tables: Tables) -> None:
        """Set how the rows of FROM are referred to: with their table if several are shown; those of a join by the row
        of the first table, or by all their rows if that row is in several pairs.
        """
        if isinstance(source, t.Join):
            whole = [[self._of(table, row) for table, row in at.parts.items()] for at in places]
            firsts = Counter([calls[0] for calls in whole])
            for at, calls in zip(places, whole, strict=True):
                at.call = " + ".join(calls if firsts[calls[0]] > 1 else calls[:1])
        elif isinstance(source, t.TableRef) and tables.several and source.name in tables.shown:
            for at in places:
                at.call = self._of(source.name, at.call)

    def _of(self, table: str, row: str) -> str:
        return self.wording.of.format(table=table, row=row)

    def _filter(self, q: t.Select, words: Words, places: list[Place], read: Any) -> list[Place]:
        """The steps of JOIN and WHERE, and the rows that are left."""
        conditions = _conditions(q.source)
        pairs = [
            (
                " + ".join([self._of(table, part) for table, part in at.parts.items()]),
                partial(words.all_of, conditions, at),
            )
            for at in (places if conditions else ())
        ]
        if conditions or q.where is not None:
            self.lines.head("join" if conditions else "where")
        if q.where is not None:
            return steps.conditions(self.lines, words, q.where, places, pairs=pairs, read=read)
        for call, said in pairs:
            self.lines.line(call, said)
        if conditions and not pairs:
            self.lines.line("", partial(str, NONE))
        return places

    def _group(
        self, q: t.Select, words: Words, rows: list[Place], tables: Tables, outer: Place | None, read: Any
    ) -> list[Place]:
        """The steps of GROUP BY, aggregates and HAVING, and the groups that are left."""
        found, worth = steps.aggregates(q), words.execution.worth
        members: dict[tuple[Any, ...], list[Place]] = {} if q.group else {(): rows}
        for at in rows if q.group else ():
            members.setdefault(tuple([worth(key, at).value for key in q.group]), []).append(at)
        groups = []
        for mine in members.values():
            keys = {key: worth(key, mine[0]) for key in q.group}
            call = self.wording.group.format(keys=" / ".join([cell.text for cell in keys.values()])) if q.group else ""
            groups.append(Place(call, {}, outer, members=mine, found=keys))
        if q.group:
            steps.of_groups(self.lines, words, found, groups)
        else:
            plain = isinstance(q.source, t.TableRef) and q.source.name in tables.shown
            steps.over_all(self.lines, words, found, groups[0], listed=not plain or q.where is not None, read=read)
        if q.having is None:
            return groups
        self.lines.head("having")
        return steps.conditions(self.lines, words, q.having, groups)


def _aliases(source: t.Source | None) -> set[str]:
    """The names of the tables of a FROM clause in the query."""
    if isinstance(source, t.Join):
        return _aliases(source.left) | _aliases(source.right)
    return {source.alias or getattr(source, "name", "")} if source is not None else set()


def _with_queries(node: Any) -> list[Any]:
    """The expressions below a node that contain a query, in the order in which they occur."""
    if node is None:
        return []
    if isinstance(node, t.ScalarQuery | t.Exists):
        return [node]
    below = [node.expr] if isinstance(node, t.InQuery) else list(t.children(node))
    own = [node] if isinstance(node, t.InQuery) else []
    return [found for child in below for found in _with_queries(child)] + own


def _looks_at(query: t.Query, aliases: set[str]) -> bool:
    """Whether a subquery reads a row of the tables with these aliases."""
    inside, named = set[str](), set[str]()
    for node in t.walk(query):
        if isinstance(node, t.TableRef):
            inside.add(node.alias or node.name)
        elif isinstance(node, t.Column):
            named.add(node.table)
    return bool((named & aliases) - inside)


def _conditions(source: t.Source | None) -> list[t.Expr]:
    """The conditions of a join, from the left."""
    found: list[t.Expr] = []
    while isinstance(source, t.Join):
        found.insert(0, source.on)
        source = source.left
    return found
