"""symtune evaluate: a benchmark and a model -> an evaluation folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from symtune.evaluation.config import EvaluateConfig
from symtune.flags import takes

APART = ("unparsable", "unanswered", "truncated")  # verdicts that say more than "wrong"

if TYPE_CHECKING:
    from rich.table import Table

    from symtune.types import Result


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("evaluate")
    @takes(EvaluateConfig)
    def command(config: EvaluateConfig) -> None:
        """Score a model on a benchmark. An interrupted evaluation resumes from its predictions."""
        from rich.console import Console
        from rich.text import Text

        from symtune.evaluation import check_splits, evaluate, prepare, read_selection
        from symtune.models import check_model, open_model
        from symtune.outcomes import truncation_warning
        from symtune.output import check_writable
        from symtune.progress import progress_bar

        # Everything that can be wrong is found before the model is loaded, which takes long.
        check_writable(config.out, overwrite=config.overwrite)
        selection = read_selection(config.prompt_from) if config.prompt_from else None
        exam = prepare(config, config.data, config.task, selection=selection)
        check_model(config.model)
        check_splits(config.model, config.data)
        with Console(stderr=True).status(f"loading {config.model}"):
            model = open_model(config.model, batch_tokens=config.batch_tokens)
        with progress_bar("answers") as progress:
            results = evaluate(
                exam,
                model,
                config.out,
                arguments={**config.model_dump(mode="json", exclude={"out", "overwrite"}), "split": exam.split},
                progress=progress,
                overwrite=config.overwrite,
            )
        console = Console()
        console.print(results_table(results))
        if warning := truncation_warning(results[0].notes["truncated"], results[0].n):
            console.print(Text(f"warning: {warning}", "yellow"), soft_wrap=True)
        console.print(f"{config.out}", markup=False, highlight=False)


def results_table(results: Sequence[Result]) -> Table:
    """Scores with their intervals and with chance, as a table for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    first = results[0]
    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(f"{first.benchmark}, {first.split} split"),
        caption=Text("; ".join(_stated(first))),
    )
    table.add_column("metric")
    for column in ("score", "95 % interval", "chance", "majority", "n"):
        table.add_column(column, justify="right")
    for result in results:
        table.add_row(
            Text(f"  {result.group}" if result.group else result.metric),
            _share(result.score),
            "" if result.interval is None else f"{result.interval[0]:.1%} – {result.interval[1]:.1%}",
            _share(result.notes.get("chance")),
            _share(result.notes.get("majority")),
            f"{result.n:,}",
        )
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _stated(first: Result) -> list[str]:
    """What readers of the scores must know."""
    notes = first.notes
    stated = [f"no overall score: the release has only {notes['release']}"] if notes.get("release") else []
    stated += [str(notes["asked"])] if notes.get("asked") else []
    stated += [f"in-domain: trained on {why}" for whys in notes.get("in_domain", {}).values() for why in whys]
    stated += _of_prompt(notes)
    stated += [f"chance: {notes['chance_how']}"] if notes.get("chance_how") else []
    stated += [f"{notes['tables_cut']:,} tables cut"] if notes.get("tables_cut") else []
    stated += [f"{notes['shots_dropped']:,} shots dropped"] if notes.get("shots_dropped") else []
    stated += [f"{count:,} {verdict}" for verdict, count in notes.get("verdicts", {}).items() if verdict in APART]
    return stated + ([str(notes["remark"])] if notes.get("remark") else [])


def _of_prompt(notes: Mapping[str, Any]) -> list[str]:
    """How the prompt relates to a prompt selection, and to earlier test runs."""
    said = notes.get("prompt_selection", {})
    stated = []
    if "chosen" in said:
        which = "the prompt" if said["prompt"] == "chosen" else f"another prompt than {said['chosen']}, the one"
        stated.append(
            f"{which} chosen on {said['questions']:,} questions of {said['selection_split']}: {said['templates']} "
            f"prompts score from {said['minimum']:.1%} to {said['maximum']:.1%}, mean {said['mean']:.1%}"
        )
    if said.get("further_test_run"):
        others = ", ".join(said["other_test_runs"])
        stated.append(f"a further test run of this model with another prompt, after {others}")
    return stated
