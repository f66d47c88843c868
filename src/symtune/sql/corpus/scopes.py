"""What the names in a statement stand for: columns of tables, of subqueries, of enclosing queries.

    names = Names(schema)
    names.resolve(root)          # sqlglot's tree, changed in place
    names.columns                # (table, column) -> its name in the tree now: c1, c2, …

Afterwards the tree has one table, `w`. Tables joined in a FROM clause are one wide table (just `w`), so the columns on
which they are joined are one column. A table that is joined with itself, or that a subquery refers to, has an alias
(x, y, z), and its columns are written with it. What a subquery in FROM or a common table expression computes is called
n1, n2, …; common table expressions are called q1, q2, …. Aliases in the projection are replaced by what they stand for.

sqlglot's own `qualify` and `scope` are of no use here: without a schema, which most corpora lack, they do not resolve a
column written without its table, even if there is only one table, and they keep apart the tables that are one here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from symtune.sql.language.parse import SET_NODES
from symtune.types import Rejected

Schema = Mapping[str, Mapping[str, str]]  # lower-case table -> lower-case column -> number, date or text
Key = tuple[int, str]  # a column of the statement: table (from 1) and lower-case name

TABLE = "w"  # what templates call their table
ALIASES = ("x", "y", "z", "u", "v")
MAX_WRITTEN_OUT = 4_000  # nodes of sqlglot's that writing aliases out may add to a SELECT


@dataclass(eq=False)
class FromItem:
    """An item of FROM: a base table, by number, or a query, by what it yields."""

    alias: str  # lower case, as the statement calls it
    node: Any
    table: int = 0  # 0: a query
    outputs: Mapping[str, Any] = field(default_factory=dict)  # of a query, by lower-case name: n1, n2, …;
    # or (source, name) of a column that it hands on as it is
    query: str = ""  # the new name of a common table expression
    shown: str = ""  # its alias in the new tree


@dataclass(eq=False)
class QueryLevel:
    """One SELECT. `wide`: its tables are joined into one."""

    select: Any
    outer: QueryLevel | None
    sources: list[FromItem] = field(default_factory=list)
    wide: bool = True
    aliased: bool = False


class Names:
    """The names in one statement. After `resolve`: `columns`, `outputs` (n1 -> the expression it stands for), `tables`
    (base tables, in lower case), `links` (columns on which tables are joined), `sides`."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tables: list[str] = []
        self.columns: dict[Key, str] = {}
        self.outputs: dict[str, Any] = {}
        self.links: set[Key] = set()
        self.sides = 1  # for a statement that is a single join: the number of tables with columns outside ON; else 1
        self._one = Same()
        self._levels: list[QueryLevel] = []
        self._queries: dict[str, tuple[str, Mapping[str, Any]]] = {}  # common table expressions
        self._found: list[tuple[Any, QueryLevel, FromItem, str]] = []  # column nodes and where each belongs
        self._same: list[tuple[Any, Any]] = []  # nodes of columns that are the same column in two tables
        self._open_join = False  # has an outer or natural join, which a join of two tables cannot express

    def resolve(self, root: Any) -> None:
        self._query(root, None)
        if not self.tables:
            raise Rejected("no table")
        self._name_sources()
        self._write()

    def key(self, key: Key) -> Key:
        """The column that stands for all columns joined with this one."""
        return self._one.root(key)

    # ------------------------------------------------------------------------------------------ reading

    def _query(self, node: Any, outer: QueryLevel | None, inside: bool = False) -> list[tuple[str, Any]]:
        """Resolve a query. `inside` a FROM or WITH, whose columns are referred to by name, return what it yields, as
        (lower-case name, output)."""
        while isinstance(node, exp.Subquery):
            node = node.this
        if type(node) in SET_NODES:
            if node.args.get("with_"):
                raise Rejected("beyond the typed tree", "WITH around a set operation")
            found = self._query(node.this, outer, inside)
            self._query(node.expression, outer, False)
            return found
        if not isinstance(node, exp.Select):
            raise Rejected("not a query", type(node).__name__)
        return self._select(node, outer, inside)

    def _select(self, select: exp.Select, outer: QueryLevel | None, inside: bool) -> list[tuple[str, Any]]:
        if not select.expressions:
            raise Rejected("syntax", "a SELECT of nothing")
        if select.args.get("with_"):
            self._with(select.args["with_"])
        named = [(item.alias_or_name.lower(), item) for item in select.expressions]
        without_aliases(select)
        level = QueryLevel(select, outer)
        self._levels.append(level)
        self._read_sources(level)
        for node in _own(select):
            if isinstance(node, exp.Column):
                self._column(node, level)
            else:
                before = len(self.tables)
                self._query(node, level)
                if len(self.tables) > before:
                    self._other_table(node)
        return self._outputs(select, [name for name, _ in named]) if inside else []

    def _outputs(self, select: exp.Select, names: list[str]) -> list[tuple[str, Any]]:
        """The names of the items outside the query. One that is not a plain column, or is shown twice, gets a new name
        (n1, n2, …)."""
        origins = {id(node): (source, name) for node, _, source, name in self._found}
        found: list[tuple[str, Any]] = []
        seen = set()
        for name, item in zip(names, list(select.expressions), strict=True):
            origin = origins.get(id(item))
            column = origin and (origin[0].table or id(origin[0]), origin[1])
            if origin is None or column in seen:
                place = f"n{len(self.outputs) + 1}"
                item.replace(named := exp.Alias(alias=exp.to_identifier(place)))
                named.set("this", item)
                self.outputs[place] = named
                found.append((name, place))
            else:
                seen.add(column)
                found.append((name, origin))
        return found

    def _with(self, clause: Any) -> None:
        if clause.args.get("recursive"):
            raise Rejected("beyond the typed tree", "RECURSIVE")
        for cte in clause.expressions:
            yielded = self._query(cte.this, None, inside=True)
            given = [column.name.lower() for column in cte.args["alias"].args.get("columns") or ()]
            if given and len(given) != len(yielded):
                raise Rejected("syntax", "a common table expression with more or fewer columns than names")
            outputs = dict(zip(given or [name for name, _ in yielded], [place for _, place in yielded], strict=True))
            name = f"q{len(self._queries) + 1}"
            self._queries[cte.alias.lower()] = (name, outputs)
            cte.set("alias", exp.TableAlias(this=exp.to_identifier(name)))

    def _read_sources(self, level: QueryLevel) -> None:
        clause = level.select.args.get("from_")
        if not clause:
            return
        joins = level.select.args.get("joins") or []
        for node in [clause.this, *(join.this for join in joins)]:
            level.sources.append(self._source(node, level))
        names = [source.alias for source in level.sources]
        if len(set(names)) < len(names):
            raise Rejected("syntax", "two tables with the same name")
        tables = [source.table for source in level.sources]
        level.wide = 0 not in tables and len(set(tables)) == len(tables)
        if level.wide:
            self._join_wide(level, joins)
        elif len(tables) > 1:
            self._join_apart(level, joins)

    def _source(self, node: Any, level: QueryLevel) -> FromItem:
        if isinstance(node, exp.Subquery):
            outputs: Mapping[str, Any] = dict(self._query(node.this, level.outer, inside=True))
            return FromItem(node.alias.lower(), node, outputs=outputs)
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier) or node.args.get("joins"):
            raise Rejected("beyond the typed tree", "a table that is not a plain name")
        name = node.name.lower()
        alias = (node.alias or node.name).lower()
        if name in self._queries and not node.args.get("db"):
            query, outputs = self._queries[name]
            return FromItem(alias, node, outputs=outputs, query=query)
        if name not in self.tables:
            self.tables.append(name)
        return FromItem(alias, node, table=1 + self.tables.index(name))

    # -------------------------------------------------------------------------------------------- joins

    def _join_wide(self, level: QueryLevel, joins: list[Any]) -> None:
        """Make tables that are joined on equal columns one table: these conditions are removed, and any others are
        moved to WHERE."""
        parts = [part for join in joins for part in _conjuncts(join.args.get("on"))]
        where = level.select.args.get("where")
        if joins and where:
            parts += _conjuncts(where.this)
        kept = []
        together = Same()
        for join, source in zip(joins, level.sources[1:], strict=True):
            self._open_join |= bool(join.args.get("side") or join.args.get("method"))
            for column in join.args.get("using") or ():
                self._link((level.sources[0].table, column.name.lower()), (source.table, column.name.lower()))
            if join.args.get("using") or join.args.get("method"):
                together.join(level.sources[0].table, source.table)
        for part in parts:
            sides = _equal_columns(part)
            owners = [self._owner(column, level) for column in sides]
            if len(owners) == 2 and None not in owners and owners[0] is not owners[1]:
                first, second = (
                    (owner.table, column.name.lower()) for owner, column in zip(owners, sides, strict=True) if owner
                )
                self._link(first, second)
                together.join(first[0], second[0])
            else:
                kept.append(part)
        if len({together.root(source.table) for source in level.sources}) > 1:
            raise Rejected("several tables", "a cross join")
        if joins:
            level.select.set("joins", [])
            level.select.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)

    def _join_apart(self, level: QueryLevel, joins: list[Any]) -> None:
        """Keep the sources of a join of a table with itself, or with a query, apart."""
        level.aliased = True
        where = level.select.args.get("where")
        for join in joins:
            if join.args.get("side") or join.args.get("method") or join.args.get("using"):
                raise Rejected("outer join" if join.args.get("side") else "self join", "of one table")
            if not _conjuncts(join.args.get("on")):
                parts = _conjuncts(where.this) if where else []
                links = [part for part in parts if len(_equal_columns(part)) == 2]
                rest = [part for part in parts if part not in links]
                if not links or len(joins) > 1:
                    raise Rejected("self join", "without a condition")
                join.set("on", exp.and_(*links, copy=False))
                join.set("kind", None)
                level.select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)

    def _link(self, first: Key, second: Key) -> None:
        self._one.join(first, second)
        self.links |= {first, second}

    def _other_table(self, query: Any) -> None:
        """In `id IN (SELECT owner FROM other WHERE …)` make both columns one, like those of a join. Without a WHERE
        they stay two: in a single table the condition would hold for every row."""
        above = query.find_ancestor(exp.In, exp.Select)
        if isinstance(query, exp.Select) and isinstance(above, exp.In) and query.args.get("where"):
            self._same.append((above.this, query.expressions[0]))

    # ------------------------------------------------------------------------------------------ columns

    def _owner(self, column: Any, level: QueryLevel) -> FromItem | None:
        """The source of this level to which a column belongs, if it can be told."""
        owner, name = column.table.lower(), column.name.lower()
        if owner:
            return next((source for source in level.sources if source.alias == owner), None)
        yielding = [source for source in level.sources if name in source.outputs]
        tables = [source for source in level.sources if source.table]
        known = [source for source in tables if name in self._columns_of(source)]
        found = yielding + known
        if len(found) == 1:
            return found[0]
        if found or (len(tables) > 1 and not yielding):
            raise Rejected("column of an unnamed table", column.name)
        unknown = [source for source in tables if not self._columns_of(source)]
        return unknown[0] if unknown else None

    def _columns_of(self, source: FromItem) -> Mapping[str, str]:
        return self.schema.get(self.tables[source.table - 1], {}) if source.table else {}

    def _column(self, node: Any, level: QueryLevel) -> None:
        if not isinstance(node.this, exp.Identifier):
            raise (
                Rejected("SELECT *")
                if isinstance(node.this, exp.Star)
                else Rejected("syntax", "a column without a name")
            )
        at: QueryLevel | None = level
        passed = []
        while at is not None and (source := self._owner(node, at)) is None:
            passed.append(at)
            at = at.outer
        if at is None or source is None:
            source, passed = self._only(node, level), []
        for seen in (*passed, at) if passed else ():
            seen.aliased = True  # type: ignore[union-attr]
        name = node.name.lower()
        if not source.table and name not in source.outputs:
            raise Rejected("unknown column", node.name)
        self._found.append((node, level, source, name))

    def _only(self, node: Any, level: QueryLevel) -> FromItem:
        """A column that is in no schema belongs to the table, if there is only one."""
        tables = [source for source in level.sources if source.table]
        if node.table:
            raise Rejected("unknown table", node.table)
        if len(tables) != 1:
            raise Rejected("column of an unnamed table" if tables else "unknown column", node.name)
        return tables[0]

    # ------------------------------------------------------------------------------------------ writing

    def _name_sources(self) -> None:
        letters = iter(ALIASES)
        for level in self._levels:
            if not level.aliased:
                continue
            sources = level.sources[:1] if level.wide else level.sources
            for source in sources:
                source.shown = next(letters, "")
                if not source.shown:
                    raise Rejected("too many slots", f"more than {len(ALIASES)} tables with aliases")
            for source in level.sources:
                source.shown = source.shown or sources[0].shown

    def _write(self) -> None:
        origins = {id(node): source.table and (source.table, name) for node, _, source, name in self._found}
        for nodes in self._same:
            first, second = (origins.get(id(node)) for node in nodes)
            if first and second:
                self._link(first, second)
        for node, _, source, name in self._found:
            node.replace(exp.column(self._new_name(source, name), table=source.shown or None))
        for level in self._levels:
            for source in level.sources[:1] if level.wide else level.sources:
                if isinstance(source.node, exp.Subquery):
                    source.node.set("alias", exp.TableAlias(this=exp.to_identifier(source.shown or "t")))
                else:
                    source.node.replace(exp.to_table(source.query or TABLE, alias=source.shown or None))
        self.links = {self.key(key) for key in self.links}
        shown = {key[0] for key in self.columns if key not in self.links}
        plain = len(self._levels) == 1 and self._levels[0].wide and not self._open_join
        self.sides = 2 if plain and len(shown) > 1 else 1

    def _new_name(self, source: FromItem, name: str) -> str:
        if source.table:
            return self.columns.setdefault(self.key((source.table, name)), f"c{len(self.columns) + 1}")
        output = source.outputs[name]
        return output if isinstance(output, str) else self._new_name(*output)


def _own(select: exp.Select) -> Iterator[Any]:
    """Columns of a SELECT outside FROM, and the queries nested in it, each once."""
    parts = [*select.expressions, *(join.args["on"] for join in select.args.get("joins") or () if join.args.get("on"))]
    parts += [select.args[name] for name in ("where", "group", "having", "order") if select.args.get(name)]
    nested = (exp.Select, *SET_NODES)
    for part in parts:
        found = list(part.walk(prune=lambda node: isinstance(node, (exp.Column, *nested))))
        yield from [node for node in found if isinstance(node, (exp.Column, *nested))]


def _conjuncts(node: Any) -> list[Any]:
    """The parts of a AND b AND c."""
    if node is None:
        return []
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        return [*_conjuncts(node.this), *_conjuncts(node.expression)]
    return [] if isinstance(node, exp.Boolean) and node.this else [node]


def _equal_columns(node: Any) -> list[Any]:
    """Both sides of `column = column`; for anything else, nothing."""
    sides = [node.this, node.expression] if isinstance(node, exp.EQ) else []
    return sides if all(isinstance(side, exp.Column) for side in sides) else []


class Same:
    """Sets of things that are the same (union-find). The least of a set stands for it."""

    def __init__(self) -> None:
        self._parent: dict[Any, Any] = {}

    def root(self, one: Any) -> Any:
        while one in self._parent:
            one = self._parent[one]
        return one

    def join(self, one: Any, other: Any) -> None:
        a, b = self.root(one), self.root(other)
        if a != b:
            self._parent[max(a, b)] = min(a, b)


def without_aliases(select: exp.Select) -> None:
    """Replace aliases and positions of the projection in GROUP BY, HAVING and ORDER BY by what they stand for, and
    COUNT(1) by COUNT(*). Raises Rejected if that makes the statement too long."""
    exists = isinstance(select.parent, exp.Exists)
    if exists:  # what it shows is not asked
        select.set("expressions", [exp.Literal.number(1)])
    items = list(select.expressions)
    if any(isinstance(item, exp.Star) for item in items):
        raise Rejected("SELECT *")
    named = {item.alias.lower(): item.this for item in items if isinstance(item, exp.Alias)}
    plain = [item.this if isinstance(item, exp.Alias) else item for item in items]
    sizes: dict[int, int] = {}
    room = MAX_WRITTEN_OUT

    def copied(node: Any) -> Any:
        nonlocal room
        size = sizes.setdefault(id(node), sum(1 for _ in node.walk()))
        room -= size
        if room < 0:
            raise Rejected("too long", "aliases written out")
        return node.copy()

    for clause in ("group", "having", "order"):
        holder = select.args.get(clause)
        if not holder:
            continue
        for column in list(holder.find_all(exp.Column)):
            if not column.table and column.name.lower() in named:
                column.replace(copied(named[column.name.lower()]))
        if clause == "having":
            continue
        for part in list(holder.expressions):
            place = part.this if isinstance(part, exp.Ordered) else part
            if isinstance(place, exp.Literal) and not place.is_string and place.this.isdigit():
                if not 1 <= int(place.this) <= len(plain):
                    raise Rejected("syntax", f"no item {place.this[:20]} in the projection")
                place.replace(copied(plain[int(place.this) - 1]))
    for item in items:
        if isinstance(item, exp.Alias):
            item.replace(item.this.copy())
    for counted in list(select.find_all(exp.Count)):
        if isinstance(counted.this, exp.Literal):
            counted.set("this", exp.Star())
