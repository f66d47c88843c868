"""What study.py and transfer.py share: a run of symtune, what is kept of it, and tables of scores."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent


def symtune(*words: str) -> None:
    """Run the command in a process of its own."""
    subprocess.run([sys.executable, "-m", "symtune", *words], check=True)


def write(path: Path, said: Any) -> None:
    """Write JSON, without where the project lies on this machine."""
    text = json.dumps(said, indent=2).replace(f"{HERE}/", "")
    path.write_text(text + "\n", encoding="utf-8")


def keep_manifest(folder: Path, kept: Path) -> None:
    """Keep the manifest of a folder, of a run or of a trained model, as the file `kept`."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["run"]["command"][0] = "symtune"
    write(kept, manifest)


def percent(score: float, interval: Sequence[float]) -> str:
    """A score and its 95 % interval, in %."""
    low, high = interval
    return f"{100 * score:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose columns but the first are aligned on the right."""
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" + "|---:" * (len(head) - 1) + "|", *lines[1:]])
