"""symtune show: examples of a data set as a person reads them; or tables, with what symtune takes their columns for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symtune.cli import harmless, of_loading
from symtune.flags import given
from symtune.generation.config import GenerateSettings
from symtune.task import TRAITS
from symtune.types import InputError

if TYPE_CHECKING:
    from symtune.dataset import Line
    from symtune.task import SymbolicTask
    from symtune.types import Table

WIDEST_CELL = 40  # characters of a cell on the terminal
WIDEST_SAMPLE, SAMPLES = 24, 2  # characters and number of the cells that stand for a column
WIDEST_FIELD = 400  # characters of a field that is no table
FIRST = 100_000  # examples that are chosen from
TABLES = "Tables"  # the panel of `symtune show --help`
_OF = GenerateSettings.model_fields  # whose words about flags are the same here
OF_TABLES = ("layout", "encoding", "split")
OF_EXAMPLES = ("task", "query_type", "prompts")


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("show")
    def command(
        context: typer.Context,
        data: Annotated[Path | None, typer.Argument(help="A data set folder.", show_default=False)] = None,
        n: Annotated[int, typer.Option("-n", min=1, help="Examples, or tables, to show.")] = 5,
        seed: Annotated[
            int, typer.Option("--seed", help=f"Seed for choosing among the first {FIRST:,} examples, or the tables.")
        ] = 0,
        task: Annotated[
            list[str] | None, typer.Option("--task", help="The .py file of a task of your own. Repeatable.")
        ] = None,
        query_type: Annotated[str | None, typer.Option("--query-type", help="Only this kind of program.")] = None,
        prompts: Annotated[bool, typer.Option("--prompts/--no-prompts", help="Show the rendered prompt too.")] = True,
        tables: Annotated[
            Path | None,
            typer.Option(
                "--tables",
                rich_help_panel=TABLES,
                help="Instead of a data set: a file or folder of tables, whose columns are shown with their roles.",
            ),
        ] = None,
        layout: Annotated[
            str | None,
            typer.Option("--layout", rich_help_panel=TABLES, help=_OF["layout"].description),
        ] = None,
        encoding: Annotated[
            str | None,
            typer.Option(
                "--encoding",
                rich_help_panel=TABLES,
                help=_OF["encoding"].description,
            ),
        ] = None,
        split: Annotated[
            str | None,
            typer.Option("--split", rich_help_panel=TABLES, help="Only tables of train, validation or test."),
        ] = None,
    ) -> None:
        """Print examples: the tables, the program, the answer, and the prompt that contains them. With --tables, print
        tables: the type and the role of each column.
        """
        _check_use(context, data, tables)
        if tables is not None:
            _show_tables(tables, layout, encoding, split, n, seed)
        elif data is not None:
            _show_examples(data, n, seed, task or (), query_type, prompts)


def _check_use(context: typer.Context, data: Path | None, tables: Path | None) -> None:
    """Raises InputError unless there is one thing to show, and for a flag that is about the other."""
    if (data is None) == (tables is None):
        got = "neither" if data is None else "both"
        raise InputError(f"got {got}; name a data set folder to show its examples, or --tables PATH to show tables")
    others = OF_EXAMPLES if data is None else OF_TABLES
    for name in given(context):
        if name in others:
            what = "examples; leave it out, or name a data set folder without --tables"
            if data is not None:
                what = "tables; leave it out, or name them by --tables PATH without a data set folder"
            raise InputError(f"--{name.replace('_', '-')} is for {what}")


# ------------------------------------------------------------------------------------------------- tables


def _show_tables(path: Path, layout: str | None, encoding: str | None, split: str | None, n: int, seed: int) -> None:
    """n of the tables, the same for the same seed, in order: the type and the role of each column, and two cells."""
    from rich.console import Console
    from rich.text import Text

    from symtune.seeds import rng
    from symtune.tables import load_tables, tables_of_split

    loaded = load_tables(path, layout=layout, encoding=encoding)
    if split is not None:
        loaded = tables_of_split(loaded, split)  # type: ignore[arg-type]
    found = loaded.tables
    chosen = sorted(rng("show", seed).sample(range(len(found)), min(n, len(found))))
    console = Console(highlight=False)
    for number, place in enumerate(chosen, start=1):
        table = found[place]
        console.rule(Text(f"{number} of {len(chosen)}   {harmless(table.id)}", "bold"), align="left")
        size = f"{_counted(len(table.rows), 'row')}, {_counted(len(table.header), 'column')}"
        _heading(console, f"table {harmless(table.name)}", size, harmless(_short(table.title)))
        console.print(_columns(table))
        console.print()
    console.print(Text(f"{_counted(len(found), 'table')} in {harmless(path)} ({loaded.layout})"))
    for line in of_loading(loaded.repaired, loaded.dropped, loaded.passed_over, loaded.first):
        console.print(Text(harmless(line)))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _columns(table: Table) -> Any:
    """A row a column: its name, type and role, and the first cells that differ."""
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    from symtune.tables import roles_of
    from symtune.tables.cells import is_missing

    grid = Grid(box=box.ROUNDED, header_style="dim", border_style="dim")
    for name, style in (("column", "bold"), ("type", ""), ("role", "green"), ("cells", "")):
        grid.add_column(name, style=style, overflow="fold", no_wrap=name == "type")
    for name, type_, role, cells in zip(
        table.header, table.types, roles_of(table), zip(*table.rows, strict=True), strict=True
    ):
        known = dict.fromkeys(cell for cell in cells if not is_missing(cell, typed=type_ != "text"))
        some = [_short(cell, WIDEST_SAMPLE) for cell in islice(known, SAMPLES)]
        shown = (_short(name), type_, str(role), " | ".join(some))
        grid.add_row(*[Text(harmless(part)) for part in shown])
    return grid


# ----------------------------------------------------------------------------------------------- examples


def _show_examples(data: Path, n: int, seed: int, task: Sequence[str], query_type: str | None, prompts: bool) -> None:
    from rich.console import Console

    from symtune.tasks import Known

    chosen, known = _choose(data, n, seed, query_type), Known(task)
    console = Console(highlight=False)
    for number, (line, info) in enumerate(chosen, start=1):
        _show(console, f"{number} of {len(chosen)}", line.row, info, known.get(line.row["task"]), prompts)


def _choose(data: Path, n: int, seed: int, query_type: str | None) -> list[tuple[Line, Any]]:
    """n examples of the data set, in order, and the same for the same seed (by reservoir sampling: it may be large).

    Raises UnknownName for a query type that no example has, InputError for a data set without examples.
    """
    from symtune import dataset
    from symtune.seeds import rng
    from symtune.types import UnknownName

    draw, kept, met, number = rng("show", seed), list[tuple[int, Any]](), set[str](), 0
    for line in islice(dataset.lines(data, columns=dataset.SCHEMA.names), FIRST):
        item = (line, line.info())
        met.add(kind := str(item[1].get("query_type") or line.row["task"]))
        if query_type not in (None, kind):
            continue
        if len(kept) < n:
            kept.append((number, item))
        elif (place := int(draw.random() * (number + 1))) < n:
            kept[place] = (number, item)
        number += 1
    if not met:
        raise InputError(f"{data}: no examples in it")
    if not kept:
        raise UnknownName(f"query type (of {data})", str(query_type), met)
    return [item for _, item in sorted(kept, key=lambda pair: pair[0])]


def _show(console: Any, place: str, row: Any, info: Any, task: SymbolicTask | None, prompts: bool) -> None:
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.syntax import Syntax
    from rich.text import Text

    console.rule(Text(f"{place}   {harmless(row['id'])}", "bold"), align="left")
    for table in info.get("tables", ()):
        _heading(console, f"table {table.name}", f"from {table.source}", f"{len(table.rows)} rows")
        console.print(_grid(table, console.width))
    facts = [f"query type {info['query_type']}"] if info.get("query_type") else []
    facts += [f"difficulty {row['difficulty']:g}"] if row["difficulty"] else []
    facts += [f"{info['chance']:.1%} by chance"] if isinstance(info.get("chance"), float | int) else []
    program, language = task.program(task.fields_of(info)) if task else ("", "")
    if program:
        _heading(console, "program", *facts)
        text = harmless(program, keep="\n")
        shown = Syntax(text, language, theme="ansi_dark", background_color="default", word_wrap=True)
        console.print(Padding(shown, (0, 2)))
    else:
        _heading(console, "fields", *facts)
        for name, value in info.items():
            if name != "tables" and name not in TRAITS:
                console.print(Padding(Text(harmless(_short(f"{name}: {value}", WIDEST_FIELD))), (0, 2)))
    if info.get("solution"):
        _heading(console, "worked solution", str(info["solution"]))
        console.print(Padding(Text(harmless(row["completion"], keep="\n")), (0, 2)))
    _heading(console, "answer", row["answer_type"])
    console.print(Padding(Text(harmless(row["answer"]), "bold green"), (0, 2)))
    if prompts:
        how = row["linearization"] and f"linearization {row['linearization']}"
        _heading(console, "prompt", f"template {row['prompt_template']}", how)
        console.print(Panel(Text(harmless(row["prompt"], keep="\n\t")), border_style="dim"))
    console.print()


def _heading(console: Any, name: str, *facts: str) -> None:
    from rich.text import Text

    console.print()
    console.print(Text.assemble((name, "bold cyan"), (harmless("   " + ", ".join(filter(None, facts))), "dim")))


def _grid(table: Table, width: int) -> Any:
    """The table as a grid. If it is too wide for one line per row, lines separate the rows."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table as Grid
    from rich.text import Text

    rows = [[harmless(_short(cell)) for cell in cells] for cells in (table.header, *table.rows)]
    wanted = 1 + sum(3 + max(map(cell_len, column)) for column in zip(*rows, strict=True))
    grid = Grid(box=box.ROUNDED, show_lines=wanted > width, header_style="bold", border_style="dim")
    for name, type_ in zip(rows[0], table.types, strict=True):
        grid.add_column(Text(name), justify="right" if type_ == "number" else "left", overflow="fold")
    for cells in rows[1:]:
        grid.add_row(*map(Text, cells))
    return grid


def _short(text: str, widest: int = WIDEST_CELL) -> str:
    return text if len(text) <= widest else text[: widest - 1] + "…"
