"""symtune compare: two evaluations of the same items -> what changed, and whether it is more than chance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from symtune.evaluation.comparing import SideBySide

TEXT_SHOWN = 200  # characters


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("compare")
    def command(
        first: Annotated[Path, typer.Argument(metavar="A", help="An evaluation folder, or a file of scored lines.")],
        second: Annotated[Path, typer.Argument(metavar="B", help="Another one, of the same items.")],
        n: Annotated[int, typer.Option("-n", min=0, help="The number of changed items to show.")] = 10,
        out: Annotated[
            Path | None, typer.Option(help="Write the comparison, and every item that changed, to this JSON file.")
        ] = None,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file.")] = False,
    ) -> None:
        """Compare two evaluations of the same items: paired interval, McNemar's test, items that changed."""
        from rich.console import Console

        from symtune.cli import harmless
        from symtune.evaluation.comparing import compare, write
        from symtune.output import check_writable

        if out is not None:
            check_writable(out, overwrite=overwrite)
        found = compare(first, second)
        console = Console()
        console.print(comparison_table(found))
        console.print(f"A: {first}\nB: {second}", markup=False, highlight=False)
        for only, side in ((found.only_first, "A"), (found.only_second, "B")):
            if only:
                console.print(f"{only:,} items are only in {side} and are left out", style="yellow", highlight=False)
        for item in found.changed[:n]:
            lines = [item.id, f"  target  {' | '.join(map(str, item.target))}"]
            lines += [
                f"  {name} {_mark(line)}     {_said(line)}" for name, line in (("A", item.first), ("B", item.second))
            ]
            console.print("\n" + harmless("\n".join(lines), keep="\n"), markup=False, highlight=False, soft_wrap=True)
        if len(found.changed) > n:
            console.print(f"\n{len(found.changed) - n:,} more items changed", highlight=False)
        if out is not None:
            write(found, out, overwrite=overwrite)
            console.print(f"{out}", markup=False, highlight=False)


def comparison_table(found: SideBySide) -> Table:
    """Both scores and their difference, over all items and by group, for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(found.benchmark),
        caption=Text("95 % intervals, paired for the difference; p: McNemar's exact test on won and lost"),
    )
    table.add_column("items")
    for column in ("n", "A", "B", "B − A", "95 % interval", "won", "lost", "p"):
        table.add_column(column, justify="right")
    for line in (found.whole, *found.groups):
        low, high = line.interval
        table.add_row(
            Text(f"  {line.group}" if line.group else "all"),
            f"{line.n:,}",
            f"{line.first:.1%}",
            f"{line.second:.1%}",
            f"{100 * line.difference:+.1f}",
            f"{100 * low:+.1f} to {100 * high:+.1f}",
            f"{line.won:,}",
            f"{line.lost:,}",
            f"{line.p:.3f}" if line.p >= 0.001 else "< 0.001",
        )
    return table


def _mark(line: Mapping[str, Any]) -> str:
    return "✓" if line["score"] == 1 else "✗"


def _said(line: Mapping[str, Any]) -> str:
    """What the model wrote, or the items extracted from it."""
    prediction = line.get("prediction")
    text = line.get("text")
    if not isinstance(text, str):
        text = " | ".join(map(str, prediction)) if isinstance(prediction, list) else str(prediction or "")
    text = " ".join(text.split())
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"
