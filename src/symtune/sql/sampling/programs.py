"""The query types that the sampler draws: kinds of program, with their share in the default mix.

Each is a function that takes a `Draw` and returns a query, or gives up with `no_draw` where the context does not offer
what it needs. `QUERY_TYPES` is the whole list; shares are weights among the kinds that a context can serve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symtune.sql.language import tree as t
from symtune.sql.sampling import computations, nestings, selections
from symtune.sql.sampling.draws import Draw
from symtune.sql.sampling.material import Field, Material


@dataclass(frozen=True, slots=True)
class QueryType:
    """A kind of program: its name, its weight in the default mix, and what a context must have to serve it."""

    name: str
    weight: float
    draw: Callable[[Draw], t.Query]
    fits: Callable[[Material], object]


def _two(some: Sequence[Field], others: Sequence[Field]) -> bool:
    """Whether there is a column of each that is not the other."""
    return any(one is not other for one in some for other in others)


def _any(m: Material) -> bool:
    return True


# A weight of 0: not in the default mix, drawn where it is named.
QUERY_TYPES: tuple[QueryType, ...] = (
    QueryType("lookup", 9, selections.lookup, lambda m: m.names and len(m.fields) > 1),
    QueryType("filter", 8, selections.filtered, lambda m: len(m.fields) > 1),
    QueryType("several columns", 3.5, selections.several_columns, lambda m: len(m.fields) > 2),
    QueryType("distinct", 2, selections.distinct, lambda m: m.groups and len(m.fields) > 1),
    QueryType("count", 5, selections.count, _any),
    QueryType("missing cells", 11, selections.missing_cells, lambda m: m.missing and len(m.fields) > 1),
    QueryType("aggregate", 5, computations.aggregate, lambda m: m.numbers),
    QueryType("superlative", 4, selections.superlative, lambda m: m.measures and len(m.fields) > 1),
    QueryType("ranked", 3, selections.ranked, lambda m: m.measures and len(m.fields) > 1),
    QueryType("arithmetic", 11.5, computations.arithmetic, lambda m: m.names and len(m.quantities) > 1),
    QueryType("compare columns", 4.5, selections.compare_columns, lambda m: len(m.comparable) > 1),
    QueryType("group by", 3, computations.group_by, lambda m: m.groups),
    QueryType("having", 2.5, computations.having, lambda m: m.groups),
    QueryType("scalar subquery", 2.5, nestings.scalar_subquery, lambda m: m.numbers and len(m.fields) > 1),
    QueryType("in subquery", 2, nestings.in_subquery, lambda m: m.groups and len(m.fields) > 1),
    QueryType("exists", 2.2, nestings.exists, lambda m: m.groups and m.measures and len(m.fields) > 2),
    QueryType("difference", 1.9, nestings.difference, lambda m: m.numbers),
    QueryType("adjacent", 2.6, nestings.adjacent, lambda m: _two(m.ranks, m.names)),
    QueryType("case", 3, computations.case, lambda m: _two(m.names, m.measures)),
    QueryType("set operation", 3.7, selections.set_operation, lambda m: len(m.fields) > 1),
    QueryType("with clause", 2.4, nestings.with_clause, lambda m: m.measures and len(m.fields) > 2),
    QueryType("window", 2.6, nestings.window, lambda m: _two(m.names, m.measures)),
    QueryType("dates", 22, computations.dates, lambda m: m.dates and len(m.fields) > 1),
    QueryType("coalesce", 1.2, computations.coalesce, lambda m: m.quantities or m.missing),
    QueryType("nullif", 1, computations.nullif, lambda m: m.numbers or m.groups),
    QueryType("round", 1.5, computations.rounded, lambda m: m.quantities),
    QueryType("dense rank", 1.5, nestings.dense_rank, lambda m: _two(m.names, m.measures)),
    QueryType("union all", 1.1, selections.union_all, lambda m: len(m.fields) > 1),
    QueryType("lookup by name", 0, selections.lookup_by_name, lambda m: m.names and m.texts and len(m.fields) > 1),
    QueryType("strings", 3, computations.strings, lambda m: m.texts and m.names),
)
# What a join context serves: these read several tables through the join; the others read one table by name.
JOINED = frozenset(
    {
        "lookup",
        "filter",
        "several columns",
        "count",
        "aggregate",
        "superlative",
        "ranked",
        "group by",
        "arithmetic",
        "dates",
    }
)
