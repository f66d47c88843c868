"""A run folder -> one self-contained HTML file: what was done to which model, and what came of it.

    report(Path("runs/quickstart"), Path("runs/quickstart/report.html"))

Every number on the page is read from a file of the run; nothing is measured or scored again here. The file
makes no network requests. A run that is not finished gives a page that says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from symtune.output import new_file
from symtune.reporting import page, words
from symtune.reporting.read import read_run
from symtune.tasks import Known

HERE = Path(__file__).parent


def report(run: Path, out: Path | None = None, *, tasks: Sequence[str] = (), overwrite: bool = True) -> Path:
    """Write the report of the folder `run` to `out` (default: `report.html` inside it) and return its path. `tasks`:
    files of tasks of the user's own, in whose words the page then speaks.

    Raises InputError if `run` is not a run folder or a file in it is broken, and OutputError if `out` cannot be
    written.
    """
    found, known = read_run(run), Known(tasks)
    out = out or run / "report.html"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
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
    html = environment.get_template("page.html").render(
        page=page.build(found, known), style=Markup((HERE / "style.css").read_text("utf-8"))
    )
    with new_file(out, overwrite=overwrite) as temporary:
        temporary.write_text(html, "utf-8")
    return out
