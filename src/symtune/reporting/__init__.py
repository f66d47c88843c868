"""A run folder, or a folder of evaluations -> one self-contained HTML file: what was measured, with what result.

    report(Path("runs/quickstart"), Path("runs/quickstart/report.html"))

Every number on the page is read from a file in the folder; nothing is measured or scored again here. The file makes no
network requests. An unfinished run gives a page that says what is missing.

evaluations, read, study    evaluation folders, a run folder, a folder of evaluations: read as they are
overview, scores, spread, errors, sentences, making, plots    what is shown of them; page puts it together
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from symtune.output import new_file
from symtune.reporting import page, words
from symtune.reporting.read import RECIPE, read_run
from symtune.reporting.study import read_study
from symtune.tasks import Known

HERE = Path(__file__).parent


def report(folder: Path, out: Path | None = None, *, tasks: Sequence[str] = (), overwrite: bool = True) -> Path:
    """Write the report of a run folder, or of the evaluations in a folder and its subfolders, to `out` (default:
    `report.html` inside it) and return its path. `tasks`: files of the user's own tasks, whose wording the page of a
    run then uses.

    Raises InputError if there is nothing to report or a file is broken, and OutputError if `out` cannot be written.
    """
    known = Known(tasks)
    is_run = (folder / RECIPE).is_file()
    content = page.of_run(read_run(folder), known) if is_run else page.of_study(read_study(folder))
    out = out or folder / "report.html"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=words.percent,
        points=words.points,
        text=words.printable,
        thousands=words.thousands,
        width=words.width,
    )
    environment.globals.update(interval=words.interval)
    style = Markup((HERE / "templates" / "style.css").read_text("utf-8"))
    html = environment.get_template("page.html").render(page=content, style=style)
    with new_file(out, overwrite=overwrite) as temporary:
        temporary.write_text(html, "utf-8")
    return out
