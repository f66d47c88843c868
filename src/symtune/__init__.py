"""symtune: generate, mix, train on and measure symbolic tasks whose every answer is proven.

    import symtune

    symtune.generate("data/train", n=2000, seed=7)      # one function per verb of the command line
    for example in symtune.load("data/train"): ...

Each name is imported when it is first used, so `import symtune` is quick and needs no extra. docs/python.md shows all
the stages.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_FUNCTIONS = (
    "compare",
    "evaluate",
    "generate",
    "load",
    "mix",
    "report",
    "score",
    "select_prompt",
    "train",
)  # of symtune.api
_MODULES = ("benchmarks", "tasks")
__all__ = ["__version__", *_FUNCTIONS, *_MODULES]

if TYPE_CHECKING:
    from symtune import benchmarks as benchmarks
    from symtune import tasks as tasks
    from symtune.api import compare as compare
    from symtune.api import evaluate as evaluate
    from symtune.api import generate as generate
    from symtune.api import load as load
    from symtune.api import mix as mix
    from symtune.api import report as report
    from symtune.api import score as score
    from symtune.api import select_prompt as select_prompt
    from symtune.api import train as train


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module("symtune.api"), name)
    if name in _MODULES:
        return importlib.import_module(f"symtune.{name}")
    raise AttributeError(f"module 'symtune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
