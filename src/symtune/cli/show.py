"""symtune show: examples of a data set as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

WIDEST_CELL = 40  # characters of a cell on the terminal


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("show")
    def command(
        data: Annotated[Path, typer.Argument(help="A data set folder.")],
        n: Annotated[int, typer.Option("-n", min=1, help="Examples to show.")] = 5,
        seed: Annotated[int, typer.Option("--seed", help="Which ones.")] = 0,
        query_type: Annotated[str | None, typer.Option("--query-type", help="Only this kind of program.")] = None,
        prompts: Annotated[bool, typer.Option("--prompts/--no-prompts", help="Show the rendered prompt too.")] = True,
    ) -> None:
        """Print examples: the table, the program, the answer, and the prompt that holds them."""
        from rich.console import Console

        from symtune.types import InputError

        chosen = _choose(data, n, seed, query_type)
        if not chosen:
            raise InputError(f"{data}: no example of query type {query_type!r}")
        console = Console(highlight=False)
        for row, fields in chosen:
            _show(console, row, fields, prompts)


def _choose(data: Path, n: int, seed: int, query_type: str | None) -> list[tuple[Any, Any]]:
    """n examples of the data set, the same for the same seed, in order (by reservoir: the data may be large)."""
    from symtune.seeds import rng

    draw, kept = rng("show", seed), list[tuple[int, Any]]()
    wanted = (item for item in _items(data) if query_type in (None, item[1].get("query_type")))
    for number, item in enumerate(islice(wanted, 100_000)):
        if len(kept) < n:
            kept.append((number, item))
        elif (place := int(draw.random() * (number + 1))) < n:
            kept[place] = (number, item)
    return [item for _, item in sorted(kept, key=lambda pair: pair[0])]


def _items(data: Path) -> Iterator[tuple[Any, Any]]:
    from symtune import dataset

    for shard in dataset.shards(data):
        tables = dataset.read_tables(shard.tables)
        for number, row in enumerate(dataset.read_parquet(shard.data, dataset.SCHEMA.names)):
            yield row, dataset.fields_of(row["info"], tables, f"{shard.data}:{number}")


def _show(console: Any, row: Any, fields: Any, prompts: bool) -> None:
    from rich.panel import Panel
    from rich.syntax import Syntax
    from rich.table import Table as Grid
    from rich.text import Text

    console.rule(Text(row["id"]), align="left")
    for table in fields.get("tables", ()):
        grid = Grid(title=Text(f"{table.name}   (from {table.source})"), title_justify="left", show_lines=False)
        for name, type_ in zip(table.header, table.types, strict=True):
            grid.add_column(Text(_short(name)), justify="right" if type_ == "number" else "left", overflow="fold")
        for cells in table.rows:
            grid.add_row(*[Text(_short(cell)) for cell in cells])
        console.print(grid)
    if "sql" in fields:
        console.print(Syntax(_pretty(fields["sql"]), "sql", background_color="default", word_wrap=True))
    facts = [row["answer_type"], f"difficulty {row['difficulty']:g}"]
    facts += [f"{name.replace('_', ' ')} {fields[name]}" for name in ("query_type", "chance") if name in fields]
    console.print(
        Text("→ ", "bold green"), Text(row["answer"], "bold"), Text(f"   ({', '.join(facts)})", "dim"), sep=""
    )
    if prompts:
        console.print(Panel(Text(row["prompt"]), title=Text(row["template_id"]), title_align="left", style="dim"))


def _short(text: str) -> str:
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"


def _pretty(sql: str) -> str:
    import sqlglot

    try:
        return sqlglot.parse_one(sql, dialect="sqlite").sql(dialect="sqlite", pretty=True)
    except (sqlglot.errors.SqlglotError, RecursionError):
        return sql
