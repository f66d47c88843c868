"""symtune generate: verified examples of a symbolic task, as a data set folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from symtune.cli import progress_bar
from symtune.exhaustion import DUPLICATES
from symtune.types import InputError

Number = TypeVar("Number", int, float)
_N = f"Examples to make; fewer where {DUPLICATES:,} duplicates in a row say that there are no more."


def _range(text: str | None, name: str, number: type[Number]) -> tuple[Number, Number] | None:
    """LOW:HIGH, or one number for both."""
    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        return number(low), number(high if colon else low)
    except ValueError:
        kind = "whole numbers, " if number is int else ""
        raise InputError(f"--{name} {text}: wanted {kind}LOW:HIGH, for example 3:12") from None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _mix(text: str | None) -> dict[str, float] | None:
    """`lookup=3,count=1`, or names alone for equal weights."""
    weights: dict[str, float] = {}
    for part in _names(text):
        name, _, weight = part.partition("=")
        try:
            weights[name.strip()] = float(weight or 1)
        except ValueError:
            raise InputError(f"--query-types {part}: wanted NAME=WEIGHT") from None
    return weights or None


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("generate")
    def command(
        out: Annotated[Path, typer.Option("--out", help="The data set folder to write.")],
        tables: Annotated[
            Path | None,
            typer.Option("--tables", help="Tables: a file or folder, in any known layout. [bundled tables]"),
        ] = None,
        layout: Annotated[str | None, typer.Option("--layout", help="Force the layout of --tables.")] = None,
        exclude_tables: Annotated[
            list[str] | None,
            typer.Option("--exclude-tables", help="PATH[:SPLIT]: keep these tables' contents out. Repeatable."),
        ] = None,
        task: Annotated[
            str, typer.Option("--task", help="A task's name, or a .py file of your own.")
        ] = "sql_execution",
        n: Annotated[int, typer.Option("-n", help=_N)] = 1000,
        seed: Annotated[int, typer.Option("--seed")] = 0,
        split: Annotated[str, typer.Option("--split", help="train, validation or test.")] = "train",
        budget: Annotated[int, typer.Option("--budget", help="Tokens of prompt and completion together.")] = 1024,
        tokenizer: Annotated[
            str | None, typer.Option("--tokenizer", help="A model whose tokenizer counts. [a careful estimate]")
        ] = None,
        workers: Annotated[int, typer.Option("--workers", help="Processes.")] = 1,
        programs: Annotated[int, typer.Option("--programs", help="Programs over one view of a table.")] = 16,
        rows: Annotated[str | None, typer.Option("--rows", help="Rows of a view, LOW:HIGH. [3:40]")] = None,
        columns: Annotated[str | None, typer.Option("--columns", help="Columns of a view, LOW:HIGH. [2:8]")] = None,
        max_cell: Annotated[int, typer.Option("--max-cell", help="Leave out columns with longer cells.")] = 200,
        linearizations: Annotated[
            str | None, typer.Option("--linearizations", help="Names, with commas between. [all seven]")
        ] = None,
        templates: Annotated[str | None, typer.Option("--templates", help="Prompt templates by name. [all]")] = None,
        held_out_templates: Annotated[
            float, typer.Option("--held-out-templates", help="Share of prompt templates kept from the train split.")
        ] = 0.0,
        query_types: Annotated[
            str | None, typer.Option("--query-types", help="NAME=WEIGHT, with commas between. [the default mix]")
        ] = None,
        difficulty: Annotated[str | None, typer.Option("--difficulty", help="Range LOW:HIGH. [any]")] = None,
        max_answer_rows: Annotated[int, typer.Option("--max-answer-rows")] = 10,
        joins: Annotated[
            float | None,
            typer.Option("--joins", help="Share of blocks over several tables  [0.08; 0.4 where foreign keys are]"),
        ] = None,
        verify: Annotated[
            str, typer.Option("--verify", help="Check every answer with a third engine too: duckdb.")
        ] = "",
        sql_templates: Annotated[
            str | None,
            typer.Option(
                "--sql-templates", help="SQL templates to draw from: a file, or `default` (WikiSQL's). [none]"
            ),
        ] = None,
        sql_template_share: Annotated[
            float | None, typer.Option("--sql-template-share", help="Share of programs from templates. [0.3]")
        ] = None,
        sql_templates_split: Annotated[
            bool, typer.Option("--sql-templates-split", help="Hold SQL templates out: only those of this split.")
        ] = False,
        self_contained: Annotated[
            bool, typer.Option("--self-contained", help="Write every example's tables into its line.")
        ] = False,
        format: Annotated[str, typer.Option("--format", help="examples, or input-output.")] = "examples",
        overwrite: Annotated[bool, typer.Option("--overwrite")] = False,
    ) -> None:
        """Make verified examples: every answer is proven before it is written."""
        from symtune.generate import GenerateConfig, generate

        config = GenerateConfig(
            out=out,
            tables=tables,
            layout=layout,
            exclude_tables=tuple(exclude_tables or ()),
            task=task,
            n=n,
            seed=seed,
            split=split,  # type: ignore[arg-type]
            budget=budget,
            tokenizer=tokenizer,
            programs=programs,
            rows=_range(rows, "rows", int) or GenerateConfig.rows,
            columns=_range(columns, "columns", int) or GenerateConfig.columns,
            max_cell=max_cell,
            linearizations=_names(linearizations),
            templates=_names(templates),
            held_out_templates=held_out_templates,
            query_types=_mix(query_types),
            difficulty=_range(difficulty, "difficulty", float),
            max_answer_rows=max_answer_rows,
            joins=joins,
            sql_templates=sql_templates,
            sql_template_share=sql_template_share,
            sql_templates_split=sql_templates_split,
            verify=verify,
            self_contained=self_contained,
            format=format,
            workers=workers,
            overwrite=overwrite,
        )
        measure = None
        if tokenizer is not None:
            from functools import partial

            from symtune.models import TokenizerMeasure

            measure = partial(TokenizerMeasure, tokenizer)
        with progress_bar("examples", n) as progress:
            manifest = generate(config, measure=measure, progress=progress)
        _tell(out, manifest)


def _tell(out: Path, manifest: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    n = manifest["examples"]
    console.print(f"[bold green]{n:,}[/] verified examples in {escape(str(out))}")
    tables, dropped = manifest["tables"], manifest["tables_dropped"]
    lost = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items())
    read = f"{tables['count']:,} table{'s' * (tables['count'] != 1)} ({tables['layout']})"
    console.print(escape(f"{read}; left out: {lost}" if lost else read))
    if manifest["exhausted"]:
        asked = manifest["arguments"]["n"]
        console.print(f"[yellow]asked for {asked:,}, found {n:,}: stopped after {manifest['stopped']}[/]")
    means = manifest["statistics"]["mean"]
    console.print(
        f"mean prompt {means['prompt_characters']:,.0f} characters, answer {means['completion_characters']:,.1f}"
        + (f"; a guesser scores {means['chance']:.0%}" if means["chance"] else "")
    )
    rejects = manifest["rejects"]
    largest = sorted(rejects.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{escape(reason)} {count:,}" for reason, count in largest[:5])
    more = f", {len(largest) - 5} reasons more in the card" if len(largest) > 5 else ""
    console.print(f"{sum(rejects.values()):,} draws rejected" + (f": {reasons}{more}" if reasons else ""))
    balance = manifest["balance"].items()
    over = [f"{escape(name)} {share:.1%} (bound {bound:.0%})" for name, (share, bound) in balance if share > bound]
    if over:
        console.print(f"[yellow]balance: over their bounds are {', '.join(over)}[/]")
    elif balance:
        console.print("balance: every class of answers within its bound")
