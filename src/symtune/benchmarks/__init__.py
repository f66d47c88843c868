"""Benchmarks: one file or folder each, found automatically. `symtune.benchmark` says what a benchmark is.

benchmark = find("gsm8k")
benchmark = find("held_out", own=["./my_task.py"])    # with a task of the user's own
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symtune.benchmark import Benchmark, Format, Shot, TableBenchmark
from symtune.registry import Registry
from symtune.tasks import Known

__all__ = ["Benchmark", "Format", "Shot", "TableBenchmark", "find", "names"]

_BENCHMARKS: Registry[Benchmark[Any]] = Registry(__name__, "BENCHMARK", Benchmark, "benchmark")  # type: ignore[type-abstract]


def names() -> list[str]:
    """The names of the benchmarks in this folder."""
    return _BENCHMARKS.names()


def find(name: str, own: Sequence[str] = ()) -> Benchmark[Any]:
    """A benchmark in this folder, by name; `own`: files of tasks that its data may name. Raises UnknownName, and
    InputError if the benchmark uses no tasks.
    """
    benchmark = _BENCHMARKS.find(name)
    return benchmark.knowing(Known(own)) if own else benchmark
