"""The cost of more workers and more examples: total CPU, the serial share, and peak memory.

    python bench/workers.py [--tables DIR] [-n 200000] [--workers 2]    # CPU of 1 and of W workers, serial share
    python bench/workers.py --memory [-n 500000]                        # peak memory at n / 10 and at n, one worker

Every measurement runs in a separate process, so that peaks do not mix. CPU time fluctuates on shared machines, so runs
with one and with several workers are interleaved, and medians are compared.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def run_one(arguments: argparse.Namespace) -> None:
    """Generate, then print this process's and its children's CPU seconds and peak memory as JSON."""
    from symtune.generation import GenerateConfig, generate
    from symtune.tables import load_tables

    load_tables(arguments.tables)  # warms the file system caches; its CPU time is measured and subtracted below
    start = _cpu(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as temporary:
        config = GenerateConfig(
            out=Path(temporary) / "data", tables=arguments.tables, n=arguments.n, seed=3, workers=arguments.workers
        )
        manifest = generate(config)
    usage, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "examples": manifest["examples"],
                "driver": _cpu(resource.RUSAGE_SELF) - start,
                "workers": _cpu(resource.RUSAGE_CHILDREN),
                "peak_mb": max(usage.ru_maxrss, children.ru_maxrss) / 1024,
            }
        )
    )


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def measure(arguments: argparse.Namespace, *, n: int, workers: int) -> dict[str, float]:
    """One run in a separate process."""
    command = [sys.executable, __file__, "--one", "-n", str(n), "--workers", str(workers)]
    if arguments.tables:
        command += ["--tables", str(arguments.tables)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def speed(arguments: argparse.Namespace) -> None:
    """Total CPU with one worker and with several, interleaved."""
    alone, together, serial = [], [], []
    for _ in range(arguments.rounds):
        alone.append(measure(arguments, n=arguments.n, workers=1)["driver"])
        found = measure(arguments, n=arguments.n, workers=arguments.workers)
        together.append(found["driver"] + found["workers"])
        serial.append(found["driver"] / together[-1])
        print(f"1 worker {alone[-1]:.1f} CPU-s, {arguments.workers} workers {together[-1]:.1f} CPU-s, "
              f"driver {serial[-1]:.1%}")  # fmt: skip
    growth = statistics.median(together) / statistics.median(alone) - 1
    print(f"n = {arguments.n:,}: total CPU grows by {growth:.1%} with {arguments.workers} workers;")
    print(f"the driver (tables loaded, duplicates, hashes), the serial part, has {statistics.median(serial):.1%} of it")


def memory(arguments: argparse.Namespace) -> None:
    """Peak memory at n / 10 and at n."""
    small = measure(arguments, n=arguments.n // 10, workers=1)
    large = measure(arguments, n=arguments.n, workers=1)
    more = (large["peak_mb"] - small["peak_mb"]) * 2**20 / (large["examples"] - small["examples"])
    print(
        f"peak memory: {small['peak_mb']:.0f} MB at {small['examples']:,} examples, {large['peak_mb']:.0f} MB at ",
        end="",
    )
    print(
        f"{large['examples']:,} ({large['peak_mb'] / small['peak_mb']:.2f}×): {more:.0f} bytes per additional example"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("-n", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.n = arguments.n or (500_000 if arguments.memory else 200_000)
    (run_one if arguments.one else memory if arguments.memory else speed)(arguments)


if __name__ == "__main__":
    main()
