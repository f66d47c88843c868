"""symtune mix: a YAML of sources with rate and cap -> a training set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symtune.cli import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from symtune.mixture import Share


def register(app: typer.Typer) -> None:
    """Add `symtune mix`."""
    app.command("mix")(mix)


def mix(
    mixture: Annotated[Path, typer.Argument(help="A YAML file of sources with rate and cap.")],
    out: Annotated[Path, typer.Option(help="The training set folder to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")] = False,
) -> None:
    """Mix sources of records into one training set; print requested and realised shares."""
    from rich.console import Console

    from symtune import config
    from symtune.mixture import Mixture
    from symtune.mixture import mix as run_mix

    asked = config.load(mixture, Mixture)
    shares = run_mix(asked, out, base=mixture.parent, overwrite=overwrite)
    console = Console()
    console.print(shares_table(shares))
    for share in shares:
        for line in remarks(share):
            console.print(harmless(f"{share.name}: {line}"), markup=False, highlight=False, soft_wrap=True)
    total = sum(share.records for share in shares)
    console.print(f"{total:,} records in {out}", markup=False, highlight=False)


def shares_table(shares: Sequence[Share]) -> Table:
    """Requested against realised shares, one line per source, as a table for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("source")
    for column in ("requested", "realised", "records", "of", "characters", "dropped"):
        table.add_column(column, justify="right")
    for share in shares:
        table.add_row(
            Text(share.name),
            f"{share.requested:.1%}",
            f"{share.realised:.1%}",
            f"{share.records:,}",
            f"{share.available:,}",
            f"{share.characters:,}",
            f"{sum(share.dropped.values()):,}",
        )
    return table


def remarks(share: Share) -> Iterator[str]:
    """Remarks on a source: each reason for which records were dropped, ignored keys, a shortage."""
    for reason, count in share.dropped.items():
        yield f"dropped {count:,}: {reason} (the first: {share.first_dropped[reason]})"
    if share.ignored:
        yield share.ignored_keys
    if share.short:
        yield shortage(share)


def shortage(share: Share) -> str:
    """One sentence about a source that gives less than its rate requests."""
    reason = "its cap" if share.records < share.available else "all it has"
    return f"{share.records:,} of {share.wanted:,} wanted records ({reason}); no other source makes up for it"
