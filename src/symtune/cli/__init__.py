"""The command line: one file per verb in this folder, found automatically.

A verb's file defines `register(app)`, which adds its commands to the typer app. Heavy imports are inside the command
functions, so that `symtune --help` is quick and needs no extra.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from symtune import __version__
from symtune.registry import modules
from symtune.types import SymtuneError

INTERRUPTED = 130  # exit status: 128 + SIGINT


def build() -> typer.Typer:
    """The app with every verb of this folder."""
    app = typer.Typer(
        name="symtune",
        help=f"Symbolic instruction tuning {__version__}: generate | mix | train | evaluate | report, or run a recipe.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def symtune(
        version: Annotated[
            bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version and exit.")
        ] = False,
    ) -> None:
        pass

    for name in modules(__name__):
        importlib.import_module(f"{__name__}.{name}").register(app)
    return app


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"symtune {__version__}")
        raise typer.Exit


# Escape sequences, other control characters, surrogates, and marks that change the direction of the text.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: object, keep: str = "") -> str:
    """A text of unknown origin, made safe for the terminal: control characters, except `keep`, are shown as escapes."""
    return _HARMFUL.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], str(text))


def of_loading(
    repaired: Mapping[str, int], dropped: Mapping[str, int], passed_over: Mapping[str, int], first: Mapping[str, str]
) -> Iterator[str]:
    """What loading tables repaired, left out and passed over: a line a kind, with where it was met first if known."""
    for kinds, what in ((repaired, ""), (dropped, "left out: "), (passed_over, "")):
        for reason, count in kinds.items():
            place = f" (first: {first[reason]})" if first.get(reason) else ""
            yield f"  {what}{count:,} × {reason}{place}"


def main() -> None:
    """Run the command line. A user error is one line on stderr and exit status 2."""
    try:
        build()()
    except SymtuneError as error:
        print("symtune: " + harmless(" ".join(str(error).split())), file=sys.stderr)
        sys.exit(2)
    except SystemExit as left:
        if left.code == INTERRUPTED:  # typer's status for Ctrl-C
            print("symtune: interrupted; nothing half-written was kept under its final name", file=sys.stderr)
        raise
    except BrokenPipeError:  # `symtune show … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
