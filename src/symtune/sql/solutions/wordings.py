"""The wordings of solutions: only data, and all that the writer and the verifier share besides tree, types and tables.

A wording says how each kind of line is written. No line begins with a cell, so that none can be mistaken for a last
line (`Answer: …`) or another question; docs/solutions.md has the grammar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MISSING = "missing"  # stands for NULL
NONE = "none"  # the line of a step that keeps no row
LONGEST_NAME = 24  # characters of a cell that names its row


@dataclass(frozen=True)
class Wording:
    """How lines are written. `named`, `plain`: a row by its number, with and without its name; `of`: the same, with the
    table in front; `group`, `value`: how a group, and a row of a set operation, is referred to; `line`: the step of a
    row. The others end a line: `yes` and `no` after a condition, `best` and `worse` when looking for the best, `new`
    and `seen` after a value, and a running count, sum or place. `heads`: the first lines of steps.
    """

    named: str
    plain: str
    of: str
    group: str
    value: str
    line: str
    yes: str
    no: str
    best: str
    worse: str
    new: str
    seen: str
    count: str
    total: str
    place: str
    heads: Mapping[str, str]


def _heads(
    *, where: str, join: str, group: str, having: str, distinct: str, order: str, select: str, query: str, main: str,
    with_: str, from_: str, left: str, right: str, both: str, each: str,
) -> Mapping[str, str]:  # fmt: skip
    return {
        "where": where,
        "join": join,
        "group": group,
        "having": having,
        "distinct": distinct,
        "order": order,
        "select": select,
        "query": query,
        "main": main,
        "with": with_,
        "from": from_,
        "left": left,
        "right": right,
        "set": both,
        "each": each,
    }


WORDINGS: tuple[Wording, ...] = (
    Wording(
        named="row {n} ({name})",
        plain="row {n}",
        of="{table} {row}",
        group="group {keys}",
        value="value {cells}",
        line="{row}: {said}",
        yes=" yes {n}",
        no=" no",
        best=" best",
        worse=" no",
        new=" new {n}",
        seen=" seen",
        count=", count {n}",
        total=", sum {x}",
        place=", place {n}",
        heads=_heads(
            where="WHERE:",
            join="JOIN:",
            group="GROUP BY:",
            having="HAVING:",
            distinct="DISTINCT:",
            order="ORDER BY:",
            select="SELECT:",
            query="Subquery ({k}):",
            main="Main query:",
            with_="WITH {name}:",
            from_="FROM {name}:",
            left="Left side:",
            right="Right side:",
            both="{op}:",
            each="{name}:",
        ),
    ),
    Wording(
        named="#{n} {name}",
        plain="#{n}",
        of="{table} {row}",
        group="those with {keys}",
        value="result {cells}",
        line="{row} - {said}",
        yes=", keep ({n})",
        no=", skip",
        best=", best so far",
        worse=", not better",
        new=", new ({n})",
        seen=", again",
        count=", now {n}",
        total=", total {x}",
        place=", no. {n}",
        heads=_heads(
            where="Rows to keep:",
            join="Rows that match:",
            group="Groups:",
            having="Groups to keep:",
            distinct="Without repeats:",
            order="Sorted:",
            select="Read off:",
            query="First, query ({k}):",
            main="Now the query itself:",
            with_="First, {name}:",
            from_="First, the rows of {name}:",
            left="First half:",
            right="Second half:",
            both="Together by {op}:",
            each="Find {name}:",
        ),
    ),
    Wording(
        named="Row {n}, {name}",
        plain="Row {n}",
        of="{table} / {row}",
        group="Group {keys}",
        value="Row of {cells}",
        line="{row}: {said}",
        yes=" -> true, {n}",
        no=" -> false",
        best=" -> best",
        worse=" -> pass",
        new=" -> first, {n}",
        seen=" -> repeat",
        count=" -> {n}",
        total=" -> {x}",
        place=" -> {n}",
        heads=_heads(
            where="Check the condition.",
            join="Pair the rows.",
            group="Form the groups.",
            having="Check the groups.",
            distinct="Drop duplicates.",
            order="Put in order.",
            select="Take the values.",
            query="Solve inner query ({k}).",
            main="Solve the outer query.",
            with_="Make the table {name}.",
            from_="Make the rows of {name}.",
            left="Solve the left query.",
            right="Solve the right query.",
            both="Combine by {op}.",
            each="Work out {name}.",
        ),
    ),
    Wording(
        named="[{n} {name}]",
        plain="[{n}]",
        of="{table}{row}",
        group="[group {keys}]",
        value="[= {cells}]",
        line="{row} {said}",
        yes="; in, {n}",
        no="; out",
        best="; leads",
        worse="; no",
        new="; fresh, {n}",
        seen="; known",
        count="; n = {n}",
        total="; s = {x}",
        place="; #{n}",
        heads=_heads(
            where="filter",
            join="join",
            group="group",
            having="filter groups",
            distinct="unique",
            order="sort",
            select="output",
            query="({k})",
            main="main",
            with_="with {name}",
            from_="from {name}",
            left="left",
            right="right",
            both="{op}",
            each="{name}",
        ),
    ),
    Wording(
        named="Line {n} ({name})",
        plain="Line {n}",
        of="{table} {row}",
        group="The group {keys}",
        value="The row {cells}",
        line="{row} has {said}",
        yes=": kept, {n} so far",
        no=": not kept",
        best=": ahead of all before",
        worse=": not ahead",
        new=": counted as number {n}",
        seen=": counted before",
        count=": that makes {n}",
        total=": adds up to {x}",
        place=": comes as {n}",
        heads=_heads(
            where="I look for the rows that meet the condition.",
            join="I match the tables row by row.",
            group="I put rows with equal keys together.",
            having="I look for the groups that meet the condition.",
            distinct="I leave out what came before.",
            order="I sort.",
            select="I read the values.",
            query="I begin with the inner query ({k}).",
            main="I come to the query as a whole.",
            with_="I begin with {name}.",
            from_="I begin with the rows of {name}.",
            left="I do the query on the left.",
            right="I do the query on the right.",
            both="I apply {op}.",
            each="I compute {name}.",
        ),
    ),
    Wording(
        named="{n}. {name}",
        plain="{n}.",
        of="{table} {row}",
        group="* by {keys}",
        value="> got {cells}",
        line="{row} | {said}",
        yes=" | ok | {n}",
        no=" | x",
        best=" | top",
        worse=" | x",
        new=" | ok | {n}",
        seen=" | x",
        count=" | {n}",
        total=" | {x}",
        place=" | {n}",
        heads=_heads(
            where="- condition",
            join="- matches",
            group="- groups",
            having="- condition on groups",
            distinct="- distinct values",
            order="- order",
            select="- values",
            query="- query ({k})",
            main="- whole query",
            with_="- table {name}",
            from_="- rows of {name}",
            left="- one side",
            right="- other side",
            both="- {op}",
            each="- {name}",
        ),
    ),
    Wording(
        named="- {name}",
        plain="- {n}",
        of="{row} of {table}",
        group="- {keys}",
        value="- {cells}",
        line="{row}: {said}",
        yes=" yes {n}",
        no=" no",
        best=" best",
        worse=" no",
        new=" new {n}",
        seen=" seen",
        count=" count {n}",
        total=" sum {x}",
        place=" place {n}",
        heads=_heads(
            where="where",
            join="on",
            group="groups",
            having="having",
            distinct="distinct",
            order="order by",
            select="show",
            query="query ({k})",
            main="then",
            with_="as {name}",
            from_="rows {name}",
            left="left side",
            right="right side",
            both="do {op}",
            each="get {name}",
        ),
    ),
)
