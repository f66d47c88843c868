"""symtune generate: verified examples of symbolic tasks, as a data set folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from symtune.cli import harmless, of_loading
from symtune.flags import takes
from symtune.generation.config import GenerateConfig

SHOWN = 5  # reasons of rejects on the terminal


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("generate")
    @takes(GenerateConfig)
    def command(config: GenerateConfig) -> None:
        """Generate verified examples: every answer is proven before it is written."""
        from symtune.generation import generate
        from symtune.progress import progress_bar

        measure = None
        if config.tokenizer is not None:
            from functools import partial

            from symtune.models import tokenizer_measure

            measure = partial(tokenizer_measure, config.tokenizer)
        with progress_bar("examples", config.n) as progress:
            manifest = generate(config, measure=measure, progress=progress)
        _tell(config, manifest)


def _tell(config: GenerateConfig, manifest: Mapping[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for line in _lines(config, manifest):
        console.print(line)


def _lines(config: GenerateConfig, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What the terminal says about a data set, as rich markup."""
    yield f"[bold green]{manifest['examples']:,}[/] verified examples in {_text(config.out)}"
    if "tables" in manifest:
        tables = manifest["tables"]
        yield _text(f"{tables['count']:,} table{'s' * (tables['count'] != 1)} ({tables['layout']})")
        repaired, dropped, passed_over = (manifest[f"tables_{kind}"] for kind in ("repaired", "dropped", "passed_over"))
        yield from map(_text, of_loading(repaired, dropped, passed_over, manifest["run"]["first"]))
    for task in manifest["tasks"]:
        if len(manifest["tasks"]) > 1:
            yield f"[bold]{_text(task['name'])}[/]: {task['examples']:,} examples"
        yield from _of_task(task, config)


def _of_task(task: Mapping[str, Any], config: GenerateConfig) -> Iterator[str]:
    if task["stopped"]:
        asked = f"asked for {config.n:,}, " if len(config.task) == 1 else ""
        yield f"[yellow]{asked}found {task['examples']:,}: stopped after {_text(task['stopped'])}[/]"
    means = task["statistics"]["mean"]
    worked = ""
    if "solution_length" in task["statistics"]:
        worked = f", worked solution {means['completion_characters']:,.0f}"
    chance = f"; by chance {means['chance']:.0%} would be right" if "chance" in means else ""
    yield (
        f"mean prompt {means['prompt_characters']:,.0f} characters, answer "
        f"{means['answer_characters']:,.1f}{worked}{chance}"
    )
    rejects = sorted(task["rejects"].items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{_text(reason)} {count:,}" for reason, count in rejects[:SHOWN])
    more = f", {len(rejects) - SHOWN} more reasons in the card" if len(rejects) > SHOWN else ""
    total = sum(count for _, count in rejects)
    yield f"{total:,} draws rejected" + (f": {reasons}{more}" if reasons else "")
    if task["other_splits"]:
        yield f"{task['other_splits']:,} draws belong to other splits"
    balance = task["balance"].items()
    over = [f"{_text(name)} {share:.1%} (bound {bound:.0%})" for name, (share, bound) in balance if share > bound]
    if over:
        yield f"[yellow]balance: over its bound: {', '.join(over)}[/]"
    elif balance:
        yield "balance: every class of answers within its bound"


def _text(text: object) -> str:
    from rich.markup import escape

    return escape(harmless(text))
