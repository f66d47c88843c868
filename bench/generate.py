"""Verified examples per CPU-second, the floor below it, and what the time consists of.

    python bench/generate.py [--tables DIR] [--rounds 5] [--blocks 128]
    python bench/generate.py --against CHECKOUT [--tables DIR] [--rounds 7]      # the ratio to another checkout

One process, one core. Each round generates other blocks (warm: tables loaded), then does the least that the same result
needs, the floor: load each view once, execute the accepted SQL once, write the same rows. CPU time itself swings
twofold on shared machines, so rounds are interleaved with a calibration loop of fixed work, and medians are reported.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import shlex
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from against import compare
from symtune import dataset
from symtune.executors import Sqlite
from symtune.files import read_parquet
from symtune.generation import GenerateConfig
from symtune.generation.config import asked
from symtune.generation.driver import load_for, work_of
from symtune.generation.shards import Work, make_shard
from symtune.tables import typed_rows

# What a profile is summed up by: (file, function), the stage. Times are cumulative, and no stage holds another.
STAGES = {
    ("sampler.py", "_material"): "columns of the context",
    ("proof.py", "__init__"): "load the context into two SQLite databases",
    ("evaluator.py", "evaluate"): "our evaluator",
    ("engines.py", "run"): "SQLite, twice",
    ("render.py", "render"): "tree to SQL",
    ("measures.py", "operators"): "operators, difficulty, chance",
    ("measures.py", "difficulty"): "operators, difficulty, chance",
    ("measures.py", "guess"): "operators, difficulty, chance",
    ("views.py", "draw_view"): "choose, linearize and measure the view",
    ("template.py", "render"): "prompt",
    ("denotation.py", "render"): "answer text",
    ("dataset.py", "example_row"): "rows, statistics, parquet",
    ("dataset.py", "write_rows"): "rows, statistics, parquet",
    ("statistics.py", "of"): "rows, statistics, parquet",
}


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def calibrate() -> None:
    """Fixed work of the kind that generation does: small queries and small Python objects."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE w (a, b)")
    connection.executemany("INSERT INTO w VALUES (?, ?)", [(i, str(i % 7)) for i in range(30)])
    for i in range(4000):
        connection.execute(f"SELECT COUNT(*) FROM w WHERE a > {i % 30} AND b <> '3'").fetchall()
        json.dumps({"i": i, "text": "x" * 50, "list": list(range(20))})


def floor(work: Work, folder: Path) -> float:
    """CPU seconds to execute the accepted SQL of the shard in `folder` once and to write its rows again."""
    data, tables = next((folder / "data").iterdir()), next((folder / "tables").iterdir())
    rows = list(read_parquet(data))
    shown = dataset.read_tables(tables)
    stored = list(read_parquet(tables))
    programs = [(json.loads(row["info"])["tables"], json.loads(row["info"])["sql"]) for row in rows]
    typed = {name: typed_rows(table) for name, table in shown.items()}
    engine = Sqlite()

    def least() -> None:
        loaded: list[str] = []
        for names, sql in programs:
            if names != loaded:
                engine.load([shown[name] for name in names], [typed[name] for name in names])
                loaded = names
            engine.run(sql)
        dataset.write_rows(folder / "again.parquet", rows, dataset.SCHEMA)
        dataset.write_rows(folder / "again-tables.parquet", stored, dataset.TABLES_SCHEMA)

    return cpu(least)


def consists_of(run: Callable[[], object]) -> dict[str, float]:
    """Shares of the time by stage, from a profile (which slows small functions more than large ones)."""
    profile = cProfile.Profile()
    profile.runcall(run)
    entries = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(entry[2] for entry in entries.values())
    shares: dict[str, float] = {}
    for (file, _, function), entry in entries.items():
        stage = STAGES.get((Path(file).name, function))
        if stage and "symtune" in file:
            shares[stage] = shares.get(stage, 0.0) + entry[3] / total
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _spread(values: list[float], form: str) -> str:
    return f"{len(values)}; {min(values):{form}} to {max(values):{form}}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="tables [the bundled ones]")
    parser.add_argument("--rounds", type=int, help="[5, or 7 with --against]")
    parser.add_argument("--against", type=Path, help="another checkout: print the ratio of CPU time an example")
    parser.add_argument("--flags", default="", help="further flags of `symtune generate`, for --against")
    parser.add_argument("--blocks", type=int, default=128, help="blocks a round, of 16 programs each")
    parser.add_argument("--budget", type=int, default=1024)
    arguments = parser.parse_args()
    if arguments.against:
        compare(arguments.against.resolve(), arguments.tables, arguments.rounds or 7, shlex.split(arguments.flags))
        return
    arguments.rounds = arguments.rounds or 5
    config = GenerateConfig(out=Path("bench"), tables=arguments.tables, n=10**9, seed=1, budget=arguments.budget)
    rates, floors, calibrations, characters, tokens = [], [], [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        tasks = asked(config)
        work = work_of(config, tasks, 0, load_for(config, tasks), Path(temporary), blocks=arguments.blocks)
        make_shard([work], 0, 0)  # warm
        for number in range(1, arguments.rounds + 1):
            for path in Path(temporary).glob("*/*"):
                path.unlink()
            calibrations.append(cpu(calibrate))
            seconds = cpu(lambda number=number: make_shard([work], 0, number))
            rows = list(read_parquet(next((Path(temporary) / "data").iterdir())))
            rates.append(len(rows) / seconds)
            floors.append(len(rows) / floor(work, Path(temporary)))
            characters.append(statistics.mean(len(row["prompt"]) for row in rows))
            tokens.append(statistics.mean(work.setting.measure(row["prompt"]) for row in rows))
            done = f"round {number}: {rates[-1]:,.0f} a CPU-s, floor {floors[-1]:,.0f}"
            print(f"{done}, calibration {calibrations[-1]:.3f} s")
        shares = consists_of(lambda: make_shard([work], 0, arguments.rounds + 1))
    rate, least = statistics.median(rates), statistics.median(floors)
    print(f"verified examples per CPU-second: {rate:,.0f} (median of {_spread(rates, ',.0f')})")
    print(f"floor (execute accepted SQL once, write the same rows): {least:,.0f}; ratio {least / rate:.2f}")
    print(f"calibration: {statistics.median(calibrations):.3f} CPU-s (median of {_spread(calibrations, '.3f')})")
    print(f"budget {config.budget} tokens; mean prompt {statistics.mean(characters):,.0f} characters, ", end="")
    print(f"{statistics.mean(tokens):,.0f} estimated tokens")
    print("of the time: " + ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items()))


if __name__ == "__main__":
    main()
