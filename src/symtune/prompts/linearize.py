r"""Linearizations: a table as text, in seven ways. Pure; tens of microseconds for 30 rows of 6.

| name | looks like | a cell that holds the format's own marks |
|---|---|---|
| `tapex` | `col : a | b row 1 : x | y row 2 : …` (Liu et al. 2021, TAPEX) | a pipe is `\|`, a backslash `\\` |
| `paper` | `header: a | b row 1 : x | y …` (Liu et al. 2023, arXiv 2304.07995) | the same |
| `markdown` | `| a | b |`, a rule, one line per row | the same |
| `csv` | RFC 4180, line feeds between records | quoted, quotes doubled |
| `json` | an array of records, one line each | JSON strings; all values are strings, as written |
| `html` | `<table>`, one line per row | `&amp;` `&lt;` `&gt;` |
| `natural` | `Row 1: the a is x; the b is y.` | as it is: sentences have no escape |

An empty cell is shown as nothing (in `natural`: "is empty"). Cells contain no line breaks (loading turns them into
spaces), so a row stays on one line. `tapex` and `paper` have no escape for a cell that reads "row 2 : …".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from symtune.types import Table, UnknownName

_as_json = json.JSONEncoder(ensure_ascii=False).encode


def _tapex(table: Table) -> str:
    return "col : " + _numbered(table)


def _paper(table: Table) -> str:
    return "header: " + _numbered(table)


def _numbered(table: Table) -> str:
    header, *rows = _piped(table)
    shown = [f" row {number} : {' | '.join(row)}" for number, row in enumerate(rows, start=1)]
    return " | ".join(header) + "".join(shown)


def _piped(table: Table) -> Sequence[Sequence[str]]:
    """Header and rows, to be shown with pipes between cells; pipes and backslashes inside cells are escaped."""
    rows: Sequence[Sequence[str]] = (table.header, *table.rows)
    if _any_holds(rows, "|", "\\"):
        return [[cell.replace("\\", "\\\\").replace("|", "\\|") for cell in row] for row in rows]
    return rows


def _markdown(table: Table) -> str:
    rows = _piped(table)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, f"| {' | '.join(['---'] * len(table.header))} |")
    return "\n".join(lines)


def _csv(table: Table) -> str:
    rows: Sequence[Sequence[str]] = (table.header, *table.rows)
    if len(table.header) == 1 or _any_holds(rows, '"', ",", "\r", "\n"):
        rows = [[_csv_cell(cell, alone=len(row) == 1) for cell in row] for row in rows]
    return "\n".join([",".join(row) for row in rows])


def _csv_cell(cell: str, *, alone: bool) -> str:
    # A lone empty cell is quoted, because a blank line would not count as a record.
    if '"' in cell or "," in cell or "\n" in cell or "\r" in cell or (alone and not cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _json(table: Table) -> str:
    names = [_as_json(name).replace("%", "%%") for name in table.header]
    if _is_plain("".join(["".join(row) for row in table.rows])):
        record = "{" + ", ".join([f'{name}: "%s"' for name in names]) + "}"
        return "[" + ",\n".join([record % row for row in table.rows]) + "]"
    record = "{" + ", ".join([f"{name}: %s" for name in names]) + "}"
    return "[" + ",\n".join([record % tuple(map(_as_json, row)) for row in table.rows]) + "]"


def _is_plain(text: str) -> bool:
    """Whether JSON writes the text as it is (as judged by the encoder, on one long string)."""
    return len(_as_json(text)) == len(text) + 2


def _html(table: Table) -> str:
    rows: Sequence[Sequence[str]] = (table.header, *table.rows)
    if _any_holds(rows, "&", "<", ">"):
        rows = [[cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for cell in row] for row in rows]
    lines = [f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows[1:]]
    head = f"<tr><th>{'</th><th>'.join(rows[0])}</th></tr>"
    return "\n".join(["<table>", head, *lines, "</table>"])


def _natural(table: Table) -> str:
    if not table.rows:
        return f"A table without rows; its columns are {', '.join(table.header)}."
    sentence = "; ".join(["the " + name.replace("%", "%%") + " is %s" for name in table.header])
    lines = []
    for number, row in enumerate(table.rows, start=1):
        told = tuple([cell or "empty" for cell in row]) if "" in row else row
        lines.append(f"Row {number}: {sentence % told}.")
    return "\n".join(lines)


def _any_holds(rows: Sequence[Sequence[str]], *marks: str) -> bool:
    text = "".join(["".join(row) for row in rows])
    return any(mark in text for mark in marks)


LINEARIZATIONS: Mapping[str, Callable[[Table], str]] = MappingProxyType({
    "tapex": _tapex,
    "paper": _paper,
    "markdown": _markdown,
    "csv": _csv,
    "json": _json,
    "html": _html,
    "natural": _natural,
})  # fmt: skip


def linearize(table: Table, name: str) -> str:
    """The table as text, in the named way. Raises UnknownName."""
    try:
        return LINEARIZATIONS[name](table)
    except KeyError:
        raise UnknownName("linearization", name, LINEARIZATIONS) from None


def linearize_all(tables: Sequence[Table], how: str) -> str:
    """Several tables as text, each under a line with its name in SQL, with blank lines in between. A single table is
    shown without that line.
    """
    if len(tables) == 1:
        return linearize(tables[0], how)
    return "\n\n".join([f"table {table.name}:\n{linearize(table, how)}" for table in tables])
