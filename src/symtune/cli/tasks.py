"""symtune tasks list, symtune tasks show NAME: what can be generated and what can be evaluated."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from symtune.task import SymbolicTask


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    group = typer.Typer(help="Tasks and benchmarks.", no_args_is_help=True)
    app.add_typer(group, name="tasks")

    @group.command("list")
    def list_() -> None:
        """List every symbolic task and every benchmark, one line each."""
        from rich.console import Console
        from rich.table import Table

        from symtune import benchmarks, tasks

        table = Table("name", "kind", "what")
        for name in tasks.names():
            table.add_row(name, "symbolic task", _first_line(tasks.find(name)))
        for name in benchmarks.names():
            table.add_row(name, "benchmark", _first_line(benchmarks.find(name)))
        Console(highlight=False).print(table)

    @group.command("show")
    def show(name: Annotated[str, typer.Argument(help="A task, a benchmark, or a .py file of your own.")]) -> None:
        """Describe a task or benchmark: the options of a task, and the prompt templates."""
        from rich.console import Console
        from rich.panel import Panel
        from rich.text import Text

        from symtune import benchmarks, tasks
        from symtune.types import UnknownName

        known = {*tasks.names(), *benchmarks.names()}
        if not name.endswith(".py") and name not in known:
            raise UnknownName("task or benchmark", name, known)
        is_task = name.endswith(".py") or name in tasks.names()
        found: Any = tasks.find(name) if is_task else benchmarks.find(name)
        console = Console(highlight=False)
        console.print(Text(inspect.getdoc(inspect.getmodule(type(found))) or inspect.getdoc(type(found)) or ""))
        if is_task:
            console.print(*_of_task(found), sep="\n")
        for template in found.templates:
            console.print(Panel(Text(template.text), title=Text(template.id), title_align="left", style="dim"))


def _of_task(task: SymbolicTask) -> Iterator[Any]:
    """A task's name, version, what it needs, and its options with their defaults."""
    from rich.table import Table
    from rich.text import Text

    needs = "shows tables" if task.needs_tables else "needs no tables"
    engines = f"; --verify {', '.join(task.engines)}" if task.engines else ""
    yield Text(f"\n{task.name}, version {task.version}; {needs}{engines}\n")
    if not task.options.model_fields:
        yield Text("It has no options.\n")
        return
    table = Table("option", "default", "what", title="--set NAME=VALUE, or `options:` in YAML", title_justify="left")
    table.columns[0].no_wrap = True
    for name, field in task.options.model_fields.items():
        default = "" if field.default is None else str(field.default)
        table.add_row(Text(name), Text(default), Text(field.description or ""))
    yield table


def _first_line(found: Any) -> str:
    doc = inspect.getdoc(inspect.getmodule(type(found))) or ""
    return doc.split("\n")[0]
