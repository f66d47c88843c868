"""symtune sql-templates: SQL corpora -> typed SQL templates from which `generate` can draw programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symtune.cli import harmless

if TYPE_CHECKING:
    from symtune.sql.corpus.templates import Built


def register(app: typer.Typer) -> None:
    """Add the verb and its commands."""
    verbs = typer.Typer(help="SQL templates from SQL corpora.", no_args_is_help=True)
    app.add_typer(verbs, name="sql-templates")

    @verbs.command("build")
    def build_command(
        files: Annotated[
            list[Path],
            typer.Argument(
                help="SQL: .sql, .tsv, .csv, .jsonl, .json (also .gz, .zst); and schema files, which give column types."
            ),
        ],
        out: Annotated[Path, typer.Option("--out", help="The SQL template file to write.")],
        license: Annotated[
            str, typer.Option("--license", help="The licence of the corpus, recorded in the file.")
        ] = "",
        overwrite: Annotated[bool, typer.Option("--overwrite")] = False,
    ) -> None:
        """Turn an SQL corpus into typed SQL templates: equal shapes are merged, and rejects counted by reason."""
        from rich.console import Console

        from symtune.output import check_writable
        from symtune.sql.corpus.corpora import Corpus
        from symtune.sql.corpus.templates import build, save

        check_writable(out, overwrite=overwrite)
        with Console(stderr=True).status("reading SQL") as status:
            corpus = Corpus(files)
            built = build(corpus.statements(), lambda n: status.update(f"reading SQL: {n:,} statements"))
        save(out, built, corpus.inputs, license=license, overwrite=overwrite)
        _tell(built, out)

    @verbs.command("show")
    def show_command(
        file: Annotated[str, typer.Argument(help="An SQL template file, or `default`.")] = "default",
        n: Annotated[int, typer.Option("-n", help="Templates to show, the most frequent first.")] = 20,
    ) -> None:
        """Print the most frequent SQL templates of a file."""
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        from symtune.sql.corpus.templates import load

        templates = load(file).templates
        table = Table("count", "SQL template", "slots", "split")
        for template in templates[: max(n, 0)]:
            slots = ", ".join(f"{name} {slot.type}" for name, slot in template.shape.columns.items())
            table.add_row(f"{template.count:,}", escape(harmless(template.shape.sql)), slots, template.split)
        console = Console(highlight=False)
        console.print(table)
        console.print(f"{len(templates):,} templates from {sum(t.count for t in templates):,} statements")


def _tell(built: Built, out: Path) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    share = built.accepted / max(built.statements, 1)
    made = len(built.templates)
    console.print(
        f"[bold]{made:,}[/] template{'s' * (made != 1)} from {built.accepted:,} of {built.statements:,} statements "
        f"({share:.1%}) in {escape(harmless(out))}"
    )
    if built.rejects:
        table = Table("rejected because", "statements", "for example")
        for reason, count in built.rejects.most_common():
            example, detail = built.rejected[reason][0][:90], " ".join(built.details.get(reason, "").split())
            table.add_row(
                escape(reason), f"{count:,}", escape(harmless(f"{example} ({detail})" if detail else example))
            )
        console.print(table)
