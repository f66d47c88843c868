"""The sampler: draws programs over one context until enough are proven, counting every reject under its reason.

sampler = Sampler(mix)
for program in sampler.programs(context, rng, count=16): …
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from random import Random

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.language.evaluator import rows_from
from symtune.sql.language.idle import idle_parts
from symtune.sql.language.measures import difficulty, guess, operators
from symtune.sql.language.proof import Context
from symtune.sql.language.render import render
from symtune.sql.sampling.balance import BOUNDS, SHORTCUTS, Balance
from symtune.sql.sampling.draws import Draw
from symtune.sql.sampling.growth import grown
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.joins import joined_material, narrowed
from symtune.sql.sampling.material import Field, Material, Roles
from symtune.sql.sampling.programs import JOINED, QUERY_TYPES, QueryType
from symtune.tables import roles_of
from symtune.types import Denotation, Rejected, UnknownName

TRIES = 8  # draws of one query type before another is picked
SPENT = frozenset([f"balance: {name}" for name in BOUNDS if name not in SHORTCUTS])  # the type has had its share
DRAWS_PER_PROGRAM = 12  # draws over one context before it is left with fewer programs than asked for


class Program(msgspec.Struct, frozen=True, gc=False):
    """A proven program: its text, what it yields, and what describes it."""

    query: t.Query
    sql: str
    denotation: Denotation
    answer: str
    query_type: str
    operators: tuple[str, ...]
    difficulty: float
    chance: float
    shortcut: str
    sql_template: str = ""  # the id of the SQL template that it is an instance of
    balance: tuple[str, ...] = ()  # the bounded classes that its answer belongs to
    idle: tuple[str, ...] = ()  # kinds of its parts that can be dropped without changing the answer


class Sampler:
    """Draws programs by a mix of query types (name -> weight; None is the default mix) in a range of difficulty;
    the share `instances[1]` of them are instances of SQL templates. Programs with an idle part are rejected, unless
    `allow_idle`. `roles`: ask of columns only what their roles allow; None is for the default mix alone. `constructs`:
    the only ones that programs may use (measures.constructs); None is all.
    """

    def __init__(
        self,
        mix: Mapping[str, float] | None = None,
        difficulty: tuple[float, float] | None = None,
        instances: tuple[Instances, float] | None = None,
        *,
        allow_idle: bool = False,
        roles: bool | None = None,
        constructs: frozenset[str] | None = None,
    ) -> None:
        known = {kind.name: kind for kind in QUERY_TYPES}
        for name in mix or {}:
            if name not in known:
                raise UnknownName("query type", name, known)
        weights = {kind.name: kind.weight for kind in QUERY_TYPES} if mix is None else dict(mix)
        self._kinds = [(kind, weights[kind.name]) for kind in QUERY_TYPES if weights.get(kind.name, 0) > 0]
        self._default = mix is None
        self._difficulty = difficulty
        self._allow_idle, self._constructs = allow_idle, constructs
        self.by_roles = self._default if roles is None else roles
        self._instances: Instances | None
        self._instances, self._share = instances or (None, 0.0)

    def programs(
        self, context: Context, rng: Random, count: int, rejects: Counter[str], roles: Roles | None = None
    ) -> Iterator[Program]:
        """Up to `count` different proven programs over the context. Rejects are counted by reason. `roles` are those of
        the context's tables unless given.
        """
        material = _material(context, self._roles(context, roles))
        kinds = self._serving(material, rejects)
        if not kinds:
            rejects["context: serves no query type"] += 1
            return
        cumulative = list(accumulate(weight for _, weight in kinds))
        seen: set[t.Query] = set()
        balance = Balance(rng, count, material.size, kinds=self._default)
        templates = self._instances if self._instances and self._instances.serves(material) else None
        if self._instances and templates is None and self._share:
            rejects["context: serves no SQL template"] += 1
            if self._share >= 1:
                return
        kind: QueryType | None = None  # None: an instance of a template
        tries = 0  # of what was picked; a reject is drawn again as what it was, so that weights are shares
        for _ in range(count * DRAWS_PER_PROGRAM):
            if not tries:
                kind = None
                if templates is None or rng.random() >= self._share:
                    kind = kinds[bisect(cumulative, rng.random() * cumulative[-1])][0]
            try:
                program = self._draw(kind, context, material, rng, seen, balance)
            except Rejected as error:
                rejects[error.reason] += 1
                tries = (tries + 1) % TRIES if error.reason not in SPENT else 0
                continue
            tries = 0
            balance.count(program.answer, program.balance)
            seen.add(program.query)
            yield program
            if len(seen) == count:
                return
        rejects["context: too few programs"] += 1

    def _roles(self, context: Context, roles: Roles | None) -> Roles:
        if not self.by_roles:
            return {}
        if roles is not None:
            return roles
        return {table.name: dict(zip(table.header, roles_of(table), strict=True)) for table in context.tables}

    def _serving(self, material: Material, rejects: Counter[str]) -> list[tuple[QueryType, float]]:
        """The query types that a context can serve. What the roles of its columns rule out is counted."""
        if not material.size:
            return []
        of_any_role, found = material.of_any_role(), []
        for kind, weight in self._kinds:
            if material.joined and kind.name not in JOINED:
                continue
            if kind.fits(material):
                found.append((kind, weight))
            elif kind.fits(of_any_role):
                rejects[f"role: no {kind.name}"] += 1
        return found

    def _draw(
        self,
        kind: QueryType | None,
        context: Context,
        material: Material,
        rng: Random,
        seen: set[t.Query],
        balance: Balance,
    ) -> Program:
        """One proven program of a query type, or an instance of a template for None."""
        template, d = "", Draw(rng, material)
        if kind is not None:
            query = kind.draw(d)
        elif self._instances is not None:
            query, template = self._instances.draw(d)
        if self._difficulty:
            query = grown(d, query, lambda q: _difficulty(q, context), self._difficulty[0])
        if material.joined:
            query = narrowed(query, context.database, context.links)
        if query in seen:
            raise Rejected("duplicate in its context")
        if self._constructs is not None and not self._constructs.issuperset(operators(t.walk(query))):
            raise Rejected("construct not asked for")
        answered = context.answer(query)
        denotation, answer, _ = answered
        chance, shortcut = guess(query, denotation.rows, context.database)
        classes = balance.check(denotation, answer, chance, shortcut)
        nodes = t.walk(query)
        used = operators(nodes)
        hard = difficulty(nodes, used, context.database)
        if self._difficulty and not self._difficulty[0] <= hard <= self._difficulty[1]:
            raise Rejected("easier than asked for" if hard < self._difficulty[0] else "harder than asked for")
        idle: tuple[str, ...] = ()
        for part in idle_parts(query, answered, context, nodes):
            if not self._allow_idle:
                raise Rejected(f"idle: {part}")
            idle = idle if part in idle else (*idle, part)
        sql = render(query)
        context.confirm(query, nodes, answered, sql)
        return Program(
            query,
            sql,
            denotation,
            answer,
            "template" if kind is None else "join" if material.joined else kind.name,
            tuple(sorted(used)),
            hard,
            round(chance, 4),
            shortcut,
            template,
            classes,
            idle,
        )


def _difficulty(query: t.Query, context: Context) -> float:
    nodes = t.walk(query)
    return difficulty(nodes, operators(nodes), context.database)


def _material(context: Context, roles: Roles) -> Material:
    """What draws may use of a context: one table, or several joined by their links."""
    if context.links:
        return joined_material(context.database, context.links, roles, context.max_rows)
    ((name, relation),) = context.database.items()
    known = roles.get(name, {})
    fields = [
        Field(t.Column(column, vector.type), vector, known.get(column))  # type: ignore[arg-type]
        for column, vector in zip(relation.names, relation.columns, strict=True)
    ]
    source = t.TableRef(name)
    return Material(fields, source, rows_from(source, context.database), context.max_rows)
