"""The typed SQL tree: what a program is before it is written as SQL for an engine.

An expression is a number, a date, a text or a truth value: columns and constants say which, and `type_rules.type_of`
tells for the rest. A query is a `Select` or a `SetQuery`. Nodes are frozen and compare by value, so
`parse(render(tree)) == tree` is a law that can be tested. docs/sql.md describes the semantics that all engines must
share; `evaluator.py` and `expressions.py` implement them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_type_hints

import msgspec

ExprType = Literal["number", "date", "text", "bool"]
Direction = Literal["ASC", "DESC"]

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/")
SET_OPERATIONS = ("UNION", "INTERSECT", "EXCEPT")  # these remove duplicates; UNION ALL keeps them


class Node(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A node, compared and hashed by class and fields. A struct, since about twenty are made for every program; its
    hash is kept, since results are looked up by condition and by query many times.
    """


class Column(Node, frozen=True, gc=False):
    """A column by name; `table` is the alias it belongs to, if it is qualified."""

    name: str
    type: ExprType
    table: str = ""


class Constant(Node, frozen=True, gc=False):
    """A constant. A date is its ISO text; a number is finite; NULL is not a constant. 1 and 1.0 are different."""

    value: int | float | str
    type: ExprType

    def __eq__(self, other: object) -> bool:
        if type(other) is not Constant:
            return False
        return type(self.value) is type(other.value) and (self.value, self.type) == (other.value, other.type)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Node.__hash__


class Arithmetic(Node, frozen=True, gc=False):
    """`left op right` over numbers. `/` is real division, never integer division."""

    op: str
    left: Expr
    right: Expr


class Concat(Node, frozen=True, gc=False):
    """`left || right` over texts."""

    left: Expr
    right: Expr


class Function(Node, frozen=True, gc=False):
    """A call of a function of `functions.FUNCTIONS`, by its name there."""

    name: str
    args: tuple[Expr, ...]


class Aggregate(Node, frozen=True, gc=False):
    """An aggregate over the rows of a group. If `arg` is None, it is COUNT(*)."""

    name: str
    arg: Expr | None = None
    distinct: bool = False


class Window(Node, frozen=True, gc=False):
    """`name(arg) OVER (PARTITION BY … ORDER BY …)`."""

    name: str
    arg: Expr | None
    partition: tuple[Expr, ...]
    order: tuple[Order, ...]


class Compare(Node, frozen=True, gc=False):
    """`left op right`, both of the same type."""

    op: str
    left: Expr
    right: Expr


class Between(Node, frozen=True, gc=False):
    """`low <= expr AND expr <= high`."""

    expr: Expr
    low: Expr
    high: Expr


class InList(Node, frozen=True, gc=False):
    """`expr IN (constant, …)`."""

    expr: Expr
    items: tuple[Expr, ...]
    negated: bool = False


class InQuery(Node, frozen=True, gc=False):
    """`expr IN (SELECT …)`: a query of one column."""

    expr: Expr
    query: Query
    negated: bool = False


class Exists(Node, frozen=True, gc=False):
    """`EXISTS (SELECT …)`."""

    query: Query
    negated: bool = False


class Like(Node, frozen=True, gc=False):
    """`expr LIKE pattern` with `%` and `_`; no escape character."""

    expr: Expr
    pattern: str
    negated: bool = False


class IsNull(Node, frozen=True, gc=False):
    """`expr IS NULL`."""

    expr: Expr
    negated: bool = False


class Logic(Node, frozen=True, gc=False):
    """AND or OR of two or more parts."""

    op: Literal["AND", "OR"]
    parts: tuple[Expr, ...]


class Not(Node, frozen=True, gc=False):
    """`NOT (part)`."""

    part: Expr


class Case(Node, frozen=True, gc=False):
    """`CASE WHEN condition THEN value … ELSE default END`."""

    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr


class ScalarQuery(Node, frozen=True, gc=False):
    """A query of one column that yields at most one row, used as a value."""

    query: Query


class Order(Node, frozen=True, gc=False):
    """One key of ORDER BY."""

    expr: Expr
    direction: Direction = "ASC"


class TableRef(Node, frozen=True, gc=False):
    """A table, or a common table expression, by name."""

    name: str
    alias: str = ""


class Derived(Node, frozen=True, gc=False):
    """A subquery in FROM."""

    query: Query
    alias: str


class Join(Node, frozen=True, gc=False):
    """An inner join of the source on the left with one more table."""

    left: Source
    right: TableRef
    on: Expr


class Item(Node, frozen=True, gc=False):
    """One item of a projection."""

    expr: Expr
    alias: str = ""


class Select(Node, frozen=True, gc=False):
    """One SELECT with its clauses. If `limit` is None, there is none; `ctes` are (name, query) pairs of its WITH."""

    items: tuple[Item, ...]
    source: Source | None
    where: Expr | None = None
    group: tuple[Expr, ...] = ()
    having: Expr | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    distinct: bool = False
    ctes: tuple[tuple[str, Query], ...] = ()


class SetQuery(Node, frozen=True, gc=False):
    """`left UNION|INTERSECT|EXCEPT|UNION ALL right`; all but UNION ALL remove duplicates."""

    op: str
    left: Select
    right: Select


Expr = (
    Column
    | Constant
    | Arithmetic
    | Concat
    | Function
    | Aggregate
    | Window
    | Compare
    | Between
    | InList
    | InQuery
    | Exists
    | Like
    | IsNull
    | Logic
    | Not
    | Case
    | ScalarQuery
)
Source = TableRef | Derived | Join
Query = Select | SetQuery


def _may_hold_nodes(hint: Any) -> bool:
    """Whether a field of this type may hold nodes, or tuples of nodes."""
    return (isinstance(hint, type) and issubclass(hint, Node)) or any(map(_may_hold_nodes, get_args(hint)))


# The fields of each class that may hold nodes, and so must be walked into.
HOLDS_NODES: dict[type, tuple[str, ...]] = {
    node: tuple([name for name, hint in get_type_hints(node).items() if _may_hold_nodes(hint)])
    for node in Node.__subclasses__()
}


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order of its fields (including those in tuples)."""
    for name in HOLDS_NODES[type(node)]:
        yield from _nodes(getattr(node, name))


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)
    elif isinstance(value, Node):
        yield value


def walk(node: Any) -> list[Any]:
    """The node (or the nodes of a tuple) and every node below, in no particular order. It is one flat loop because it
    runs for every program that is proven.
    """
    found, waiting = [], [node]
    while waiting:
        value = waiting.pop()
        names = HOLDS_NODES.get(type(value))
        if names is None:
            if type(value) is tuple:
                waiting.extend(value)
            continue
        found.append(value)
        for name in names:
            if below := getattr(value, name):
                waiting.append(below)
    return found
