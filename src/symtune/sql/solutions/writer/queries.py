"""The steps of a query, in order: first the queries that it needs, then its own clauses in the order of execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from symtune.sql.language import tree as t
from symtune.sql.language.products import product
from symtune.sql.language.vectors import Database, Frame, Relation, sort_index
from symtune.sql.solutions.wordings import MISSING, NONE, WORDINGS
from symtune.sql.solutions.writer.aggregates import aggregates_of, each_group, grouped, is_grouped, one_group, walk
from symtune.sql.solutions.writer.lines import Lines
from symtune.sql.solutions.writer.rows import calls, calls_of_pairs
from symtune.sql.solutions.writer.saying import Saying, cell
from symtune.sql.solutions.writer.windows import windows
from symtune.types import Rejected, Table

Use = Literal["answer", "value", "list", "rows", "side"]  # what the result of a query is used for


class Env(NamedTuple):
    """The tables that a query may read, how their rows are referred to, and which tables the prompt shows."""

    database: Database
    calls: Mapping[str, Sequence[str]]
    shown: frozenset[str]
    several: bool  # tables


class Solved(NamedTuple):
    """What a query yields, and how its rows are referred to."""

    relation: Relation
    rows: list[str]


class Writer:
    """Writes solutions of programs on the same tables; `database`: the tables as the evaluator has them."""

    def __init__(self, tables: Sequence[Table], database: Database) -> None:
        self._tables, self._database = tuple(tables), database
        self._calls: dict[int, Mapping[str, Sequence[str]]] = {}

    def write(self, query: t.Query, form: str, number: int) -> str:
        """The steps of a program, in the wording with this number. Raises Rejected("no solution") for a program that
        cannot be put into words.
        """
        wording = WORDINGS[number]
        if number not in self._calls:
            self._calls[number] = {table.name: calls(table, wording) for table in self._tables}
        names = self._calls[number]
        lines = Lines(wording, full=form == "full")
        env = Env(self._database, names, frozenset(names), len(names) > 1)
        _Queries(lines).query(query, env, "answer", {})
        return "\n".join(lines.texts)


class _Queries:
    """Writes queries one after another; subqueries are numbered consecutively."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self._numbers = 0

    def query(self, query: t.Query, env: Env, use: Use, head: Mapping[str, Any]) -> Solved:
        """The steps of a query. `head`: its first line, as {"step": …} with the names that it contains."""
        if isinstance(query, t.Select):
            return self._select(query, env, use, head)
        if head:
            self.lines.head(**head)
        sides = [
            self._select(side, env, "side", {"step": step})
            for step, side in (("left", query.left), ("right", query.right))
        ]
        found = env.database.run(query, env.database, None)
        wording = self.lines.wording
        shown = [" / ".join([cell(column, row) for column in found.columns]) for row in range(found.size)]
        if query.op != "UNION ALL":
            self._combined(query, [side.relation for side in sides])
        return Solved(found, [wording.value.format(cells=cells) for cells in shown])

    def _combined(self, query: t.SetQuery, sides: Sequence[Relation]) -> None:
        """For each row of either side: which sides have it, and whether it stays. For UNION: rows on both sides."""
        lines, values = self.lines, [side.rows() for side in sides]
        lines.head("set", op=query.op)
        wanted = {"UNION": "both", "INTERSECT": "both", "EXCEPT": "left"}[query.op]
        seen, kept = set[Any](), 0
        for side, rows in zip(sides, values, strict=True):
            for row, value in enumerate(rows):
                if value in seen:
                    continue
                seen.add(value)
                where = "both" if value in values[0] and value in values[1] else "left" if side is sides[0] else "right"
                name = lines.wording.value.format(cells=" / ".join([cell(column, row) for column in side.columns]))
                kept += where == wanted
                if where == wanted or lines.full:
                    end = lines.wording.yes.format(n=kept) if where == wanted else lines.wording.no
                    lines.add(name, where, "" if query.op == "UNION" else end)
        if not kept:
            lines.add("", NONE)

    # ------------------------------------------------------------------------------------------------ one SELECT

    def _select(self, q: t.Select, env: Env, use: Use, head: Mapping[str, Any]) -> Solved:
        lines, before = self.lines, len(self.lines.texts)
        for name, body in q.ctes:
            solved = self.query(body, env, "rows", {"step": "with", "name": name})
            database = env.database.extended(name, solved.relation)
            env = Env(database, {**env.calls, name: solved.rows}, env.shown - {name}, env.several)
        frame, parts = self._source(q.source, env)
        labels = self._subqueries(q, env, frame)
        if head:
            lines.head(**head)
        elif len(lines.texts) > before:
            lines.head("main")
        rows = self._rows(q.source, parts, env)
        saying = Saying(frame, labels, env.calls, lines.wording)
        found = aggregates_of(q)
        folded = _folded(q, found, use)
        kept = self._filtered(q, saying, rows, parts, folded)
        frame, rows = frame.filtered(kept), [rows[row] for row in kept]
        saying = saying.of(frame)
        if is_grouped(q):
            saying, rows = self._groups(q, found, saying, rows, env, walked=folded is not None)
        windows(lines, q, saying, rows)
        read = _is_read(q, use)
        index = self._ordered(q, saying, rows, read=read)
        if read and index and not (isinstance(folded, t.Select) or _keeps_the_best(q)):
            lines.head("select")
            for row in index:
                lines.add(rows[row], _items(q, saying, row))
        return Solved(env.database.run(q, env.database, None), [rows[row] for row in index])

    def _source(self, source: t.Source | None, env: Env) -> tuple[Frame, list[dict[str, str]]]:
        """The rows of FROM, and for each how the rows that it is made of are referred to, by alias."""
        database = env.database
        if source is None:
            return Frame({}, 1, database), [{}]
        if isinstance(source, t.Derived):
            solved = self.query(source.query, env, "rows", {"step": "from", "name": source.alias})
            frame = Frame({source.alias: solved.relation.by_name()}, solved.relation.size, database)
            return frame, [{source.alias: row} for row in solved.rows]
        if isinstance(source, t.TableRef):
            alias = source.alias or source.name
            scope, size, _ = database.stored(source)
            return Frame(scope, size, database), [{alias: row} for row in env.calls[source.name]]
        left, of_left = self._source(source.left, env)
        right, of_right = self._source(source.right, env)
        pairs, lefts, rights = product(left, right, source.on)
        hits = [
            k for k, hit in enumerate(Saying(pairs, {}, env.calls, self.lines.wording).vector(source.on).values) if hit
        ]
        lefts, rights = [lefts[place] for place in hits], [rights[place] for place in hits]
        scope = {
            alias: {name: vector.take(index) for name, vector in columns.items()}
            for side, index in ((left, lefts), (right, rights))
            for alias, columns in side.columns.items()
        }
        parts = [{**of_left[one], **of_right[other]} for one, other in zip(lefts, rights, strict=True)]
        return Frame(scope, len(hits), database), parts

    def _rows(self, source: t.Source | None, parts: Sequence[dict[str, str]], env: Env) -> list[str]:
        """How the rows of FROM are referred to: with their table if several are shown."""
        if isinstance(source, t.Join):
            return calls_of_pairs(parts, self.lines.wording)
        rows = [next(iter(part.values()), "") for part in parts]
        if isinstance(source, t.TableRef) and source.name in env.shown and env.several:
            return [self.lines.wording.of.format(table=source.name, row=row) for row in rows]
        return rows

    def _subqueries(self, q: t.Select, env: Env, frame: Frame) -> dict[t.Query, int]:
        """The steps of the queries in the clauses that do not refer to a row of this query, and their numbers."""
        labels: dict[t.Query, int] = {}
        clauses = (q.where, *q.group, q.having, *q.items, *q.order)
        for node in [node for clause in clauses if clause is not None for node in _nested(clause)]:
            query = node.query
            if query in labels or _looks_outside(query, frame):
                continue
            number = self._numbers = self._numbers + 1
            use: Use = "value" if isinstance(node, t.ScalarQuery) else "list"
            solved = self.query(query, env, use, {"step": "query", "k": number})
            labels[query] = number
            if use == "value":
                column = solved.relation.columns[0]
                self.lines.add("", f"({number}) = {cell(column, 0) if solved.relation.size else MISSING}")
            elif isinstance(node, t.Exists):
                self.lines.add("", f"({number}) has {solved.relation.size}")
        return labels

    def _filtered(
        self, q: t.Select, saying: Saying, rows: list[str], parts: Sequence[Mapping[str, str]],
        folded: t.Select | t.Aggregate | None,
    ) -> list[int]:  # fmt: skip
        """The steps of JOIN and WHERE, and the rows that are left. `folded`: what is read from these at once."""
        lines, of = self.lines, self.lines.wording.of
        conditions = _conditions(q.source)
        pairs = [" + ".join([of.format(table=name, row=row) for name, row in part.items()]) for part in parts]
        joined = [" AND ".join([saying.condition(on, row) for on in conditions]) for row in range(len(parts))]
        if q.where is None:
            if conditions:
                lines.head("join")
                for pair, said in zip(pairs, joined, strict=True):
                    lines.add(pair, said)
                if not pairs:
                    lines.add("", NONE)
            return list(range(saying.frame.size))
        hits = [row for row in range(saying.frame.size) if saying.vector(q.where).values[row] is True]
        after: dict[int, str] = {}
        if folded is not None:
            below = saying.of(saying.frame.filtered(hits))
            places = range(len(hits))
            if isinstance(folded, t.Aggregate):
                texts = [said for said, _ in walk(lines, folded, below, places).values()]
            else:
                texts = [_items(folded, below, place) for place in places]
            after = {row: f", {text}" for row, text in zip(hits, texts, strict=True)}
        lines.head("join" if conditions else "where")
        return lines.checked(
            pairs if conditions else rows,
            saying,
            q.where,
            before=lambda row: f"{joined[row]}; " if conditions else "",
            after=lambda row: after.get(row, ""),
        )

    def _groups(
        self, q: t.Select, found: Sequence[t.Aggregate], below: Saying, rows: list[str], env: Env, *, walked: bool
    ) -> tuple[Saying, list[str]]:
        """The steps of GROUP BY, aggregates and HAVING, and the groups that are left."""
        lines = self.lines
        whole = below.of(grouped(q, below))
        if q.group:
            keys = [[whole.value(key, place) for key in q.group] for place in range(whole.frame.size)]
            names = [lines.wording.group.format(keys=" / ".join(key)) for key in keys]
            each_group(lines, found, rows, names, below, whole)
        else:
            names = [""]
            untouched = isinstance(q.source, t.TableRef) and q.source.name in env.shown and q.where is None
            one_group(lines, found, rows, below, whole, counted=not untouched, walked=walked)
        if q.having is None:
            return whole, names
        lines.head("having")
        kept = lines.checked(names, whole, q.having)
        groups = whole.frame.groups or []
        return whole.of(whole.frame.grouped([groups[place] for place in kept], q.group)), [names[i] for i in kept]

    def _ordered(self, q: t.Select, saying: Saying, rows: list[str], *, read: bool) -> list[int]:
        """The steps of DISTINCT, ORDER BY and LIMIT, and the rows that are left, in order. `read`: what is shown must
        be said.
        """
        lines, index = self.lines, list(range(saying.frame.size))
        if q.distinct:
            values = list(zip(*[saying.vector(item.expr).values for item in q.items], strict=True))
            lines.head("distinct")
            index = lines.distinct(rows, values, {row: _items(q, saying, row) for row in index})
        if not q.order:
            return index if q.limit is None else index[: q.limit]
        keys = [saying.vector(order.expr).take(index) for order in q.order]
        places = [index[place] for place in sort_index(keys, [order.direction for order in q.order], len(index))]
        stop = len(places) if q.limit is None else q.offset + q.limit
        lines.head("order")
        if _keeps_the_best(q):
            self._best(q, saying, rows, index, places, read=read)
        else:
            for place, row in enumerate(places if lines.full else places[:stop], start=1):
                lines.add(rows[row], _keys(q.order, saying, row), lines.wording.place.format(n=place))
        return places[q.offset : stop]

    def _best(
        self, q: t.Select, saying: Saying, rows: Sequence[str], index: Sequence[int], places: Sequence[int], *,
        read: bool,
    ) -> None:  # fmt: skip
        """The step of ORDER BY that keeps the best row: a single key is set beside that of the best so far, and of a
        row that is better, what is shown is said too (`read`). `places`: the rows of `index` in order.
        """
        rank, best = {row: place for place, row in enumerate(places)}, None
        for row in index:
            if len(q.order) == 1:
                said = saying.beside(q.order[0].expr, row, "<" if q.order[0].direction == "ASC" else ">", best)
            else:
                said = _keys(q.order, saying, row)
            if best is None or rank[row] < rank[best]:
                best = row
                shown = f", {_items(q, saying, row)}" if read else ""
                self.lines.add(rows[row], said, self.lines.wording.best + shown)
            elif self.lines.full:
                self.lines.add(rows[row], said, self.lines.wording.worse)


def _keeps_the_best(q: t.Select) -> bool:
    """Whether ORDER BY keeps the first row alone: then the rows are not sorted, but searched for the best."""
    return bool(q.order) and q.limit == 1 and not q.offset


def _keys(order: Sequence[t.Order], saying: Saying, row: int) -> str:
    return ", ".join([saying.term(key.expr, row) for key in order])


def _folded(q: t.Select, found: Sequence[t.Aggregate], use: Use) -> t.Select | t.Aggregate | None:
    """What the step of WHERE reads from each row that it keeps: what is shown, or what the only aggregate reads."""
    if q.where is None or q.group:
        return None
    if is_grouped(q):
        return found[0] if len(found) == 1 and found[0].arg is not None else None
    plain = not (q.distinct or q.order) and not any(isinstance(node, t.Window) for node in t.walk(q.items))
    return q if plain and _is_read(q, use) else None


def _is_read(q: t.Select, use: Use) -> bool:
    """Whether the query needs a step that reads what is shown, because no earlier step has said it."""
    if q.distinct and not q.order:
        return False
    if use == "rows" and all(_passed_on(item) for item in q.items):
        return False
    return not (is_grouped(q) and not q.group and all(isinstance(item.expr, t.Aggregate) for item in q.items))


def _items(q: t.Select, saying: Saying, row: int) -> str:
    return ", ".join([saying.item(item, row) for item in q.items])


def _passed_on(item: t.Item) -> bool:
    """Whether an item is a plain column, or has been stated by the step of its window function."""
    expr = item.expr
    return isinstance(expr, t.Window) or (isinstance(expr, t.Column) and item.alias in ("", expr.name))


def _conditions(source: t.Source | None) -> list[t.Expr]:
    """The conditions of a join, innermost first."""
    return [*_conditions(source.left), source.on] if isinstance(source, t.Join) else []


def _nested(node: Any) -> list[Any]:
    """The expressions below a node that contain a query, in order."""
    if isinstance(node, t.ScalarQuery | t.Exists):
        return [node]
    if isinstance(node, t.InQuery):
        return [*_nested(node.expr), node]
    return [found for child in t.children(node) for found in _nested(child)]


def _looks_outside(query: t.Query, frame: Frame) -> bool:
    """Whether a subquery reads the row of the enclosing query."""
    nodes = t.walk(query)
    named = {node.table for node in nodes if isinstance(node, t.Column) and node.table in frame.columns}
    if not named <= {node.alias or node.name for node in nodes if isinstance(node, t.TableRef)}:
        if frame.outer is not None:
            raise Rejected("no solution", "a subquery two levels below the row that it looks at")
        return True
    return False
