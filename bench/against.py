"""Compares the CPU time per example of two checkouts, in interleaved rounds. `bench/generate.py --against` calls it.

It measures the command `symtune generate` of each checkout, which stays the same whatever the code behind it looks
like: the CPU time of a process that generates many examples, minus that of one that generates few, so that starting and
loading tables do not count.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FEW, MANY = 200, 8_200  # examples in the two runs, whose difference counts


def cpu_of(checkout: Path, n: int, seed: int, tables: Path | None, flags: list[str]) -> float:
    """CPU seconds of one `symtune generate` of a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["generate", "-n", str(n), "--seed", str(seed), "--out", f"{folder}/data", *flags]
        if tables is not None:
            command += ["--tables", str(tables)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-c", "from symtune.cli import main; main()", *command],
            env={**os.environ, "PYTHONPATH": str(checkout / "src")},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(other: Path, tables: Path | None, rounds: int, flags: list[str]) -> float:
    """Print the rounds, and return the median ratio of the CPU time per example here to that there."""
    if not (other / "src" / "symtune").is_dir():
        raise SystemExit(f"{other}: no src/symtune here; wanted another checkout of symtune")
    ratios = []
    for number in range(1, rounds + 1):
        seconds = {}
        for checkout in (HERE, other) if number % 2 else (other, HERE):
            few = cpu_of(checkout, FEW, number, tables, flags)
            seconds[checkout] = (cpu_of(checkout, MANY, number, tables, flags) - few) / (MANY - FEW)
        ratios.append(seconds[HERE] / seconds[other])
        here, there = (1e6 * seconds[checkout] for checkout in (HERE, other))
        print(
            f"round {number}: {here:,.0f} against {there:,.0f} CPU-µs per example, ratio {ratios[-1]:.3f}", flush=True
        )
    middle, spread = statistics.median(ratios), f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(f"CPU time per example, here / {other}: {middle:.3f} (median of {rounds} rounds; {spread})")
    return middle
