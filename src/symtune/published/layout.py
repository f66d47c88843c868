"""The published data layout: `train/flan.json`, `train/sql.json`, `validation/wtq_mmlu.json`, `test/…_tapex_….json`.

    manifest = build(BuildConfig(out=Path("published"), benchmarks=Path("releases"), flan="instructions.jsonl.gz"))

All files are JSON lines of `input` and `output`, so `datasets.load_dataset("published")` gives train, validation and
test, as it does for `sail/symbolic-instruction-tuning`. Several items of an answer are separated by ", ", as in the
release, whose metric, `get_denotation_accuracy`, splits there. Each missing part is reported in one line and listed in
the card; the build does not fail because of it. The same arguments give the same bytes.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from symtune import tasks
from symtune.denotation import parse
from symtune.files import read_parquet
from symtune.generation import GenerateConfig, generate
from symtune.generation.config import asked
from symtune.generation.driver import load_for
from symtune.models import tokenizer_measure
from symtune.output import check_writable, new_folder, sha256, versions, write_manifest
from symtune.published.card import card
from symtune.published.config import BuildConfig
from symtune.published.releases import TABLES, Prompts, Releases, TestFile, read_prompts, releases_in
from symtune.published.sampling import Sampled, files_in, sample
from symtune.records import find
from symtune.tables import TableSet
from symtune.tokens import estimate
from symtune.types import SPLITS, InputError, Measure

Say = Callable[[str], None]
ITEMS = ", "


@dataclass
class Built:
    """What became of the parts: lines by file, facts about each file, and what is missing."""

    folder: Path
    say: Say
    rows: dict[str, int] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def write(self, name: str, lines: Iterable[tuple[str, str]], facts: Mapping[str, Any]) -> None:
        """Write a file of (input, output)."""
        path, number = self.folder / name, 0
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            for text, answer in lines:
                stream.write(json.dumps({"input": text, "output": answer}, ensure_ascii=False) + "\n")
                number += 1
        self.rows[name], self.facts[name] = number, dict(facts)

    def lack(self, what: str, why: str = "") -> None:
        """Report what is missing, and record it for the card, but not why, which may name paths of this machine."""
        self.missing.append(what)
        self.say(f"{what} ({why})" if why else what)


def build(
    config: BuildConfig, *, say: Say = lambda line: None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Write the layout and return its manifest. Raises InputError or OutputError before any work is done if the
    arguments cannot succeed. Examples are generated last, since that takes minutes: by then every file that is named
    has been read.
    """
    check_writable(config.out, overwrite=config.overwrite)
    for scale in config.scales:
        if not re.fullmatch(r"\w[\w.-]*", scale):
            raise InputError(f"--scales {scale!r}: wanted letters and digits, since it becomes a part of file names")
    prompts = {scale: Prompts() for scale in config.scales}
    for scale, path in _pairs(config):
        prompts[scale] = prompts[scale].joined(read_prompts(path))
    found = releases_in(config.benchmarks)
    sources = () if config.flan is None else files_in(find(config.flan))
    measure = tokenizer_measure(config.tokenizer) if config.tokenizer else estimate
    with new_folder(config.out, overwrite=config.overwrite) as folder:
        built = Built(folder, say)
        settings = _sql_settings(config, found, folder / "work") if config.sql_n else None
        tables = load_for(settings, asked(settings)) if settings else None
        _flan(config, sources, built)
        _validation(config, found, measure, built)
        for scale in config.scales:
            _test(config, scale, prompts[scale], found, measure, built)
        _sql(config, settings, tables, found, built, progress)
        if not built.rows:
            raise InputError("nothing to write: give --sql-n, --flan or --benchmarks")
        return _finish(config, built)


def _pairs(config: BuildConfig) -> Iterator[tuple[str, Path]]:
    for text in config.prompts:
        scale, equals, file = text.partition("=")
        if not equals or scale not in config.scales:
            raise InputError(f"--prompts {text}: wanted SCALE=FILE, with SCALE one of {', '.join(config.scales)}")
        yield scale, Path(file)


# ------------------------------------------------------------------------------------------------------------- train


def _sql_settings(config: BuildConfig, found: Releases, work: Path) -> GenerateConfig:
    """What to generate, without the tables that the benchmarks ask about."""
    excluded = tuple(
        f"{found.folders[name]}:{split}"
        for name in TABLES
        if name in found.folders
        for split in ("validation", "test")
        if split in found.splits[name]
    )
    return GenerateConfig(
        out=work,
        n=config.sql_n,
        seed=config.seed,
        tables=config.tables,
        exclude_tables=excluded,
        budget=config.budget,
        tokenizer=config.tokenizer,
        templates=_templates(),
        workers=config.workers,
    )


def _sql(
    config: BuildConfig,
    settings: GenerateConfig | None,
    tables: TableSet | None,
    found: Releases,
    built: Built,
    progress: Any,
) -> None:
    if settings is None:
        built.lack("train/sql.json is missing: --sql-n 0")
        return
    measure = partial(tokenizer_measure, config.tokenizer) if config.tokenizer else None
    manifest = generate(settings, measure=measure, progress=progress, tables=tables)
    shards = sorted((settings.out / "data").glob("*.parquet"))
    lines = ((row["prompt"], _flat(row["completion"])) for shard in shards for row in read_parquet(shard, _COLUMNS))
    facts = {
        "requested": config.sql_n,
        "made": "proven examples of SQL execution",
        "tables": manifest.get("tables", {}),
        "left out": manifest.get("tables_dropped", {}),
        "excluded": [f"{name}:{split}" for name, split in _named(found, settings.exclude_tables)],
        "stopped": manifest["stopped"],
    }
    built.write("train/sql.json", lines, facts)
    shutil.rmtree(settings.out)
    if built.rows["train/sql.json"] < config.sql_n:
        built.lack(
            f"train/sql.json has {built.rows['train/sql.json']:,} of {config.sql_n:,} examples: {manifest['stopped']}"
        )


_COLUMNS = ("prompt", "completion")


def _named(found: Releases, excluded: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The exclusions by benchmark, since a card must not contain paths of this machine."""
    names = {str(folder): name for name, folder in found.folders.items()}
    for spec in excluded:
        path, _, split = spec.rpartition(":")
        yield names[path], split


def _templates() -> tuple[str, ...]:
    """The prompt templates that do not mention what separates the rows of an answer."""
    task = tasks.find(tasks.DEFAULT)
    return tuple(template.key for template in task.templates if '" | "' not in template.text)


def _flat(answer: str) -> str:
    """An answer with the published delimiter."""
    return ITEMS.join(cell for row in parse(answer) for cell in row) or answer


def _flan(config: BuildConfig, sources: Sequence[Path], built: Built) -> None:
    if not sources or not config.flan_n:
        built.lack(
            "train/flan.json is missing: no instructions are named (--flan)"
            if config.flan_n
            else "train/flan.json is missing: --flan-n 0"
        )
        return
    sampled: Sampled = sample(sources, config.flan_n, config.flan_cap, config.seed)
    named = Path(str(config.flan)).name
    facts = {"requested": config.flan_n, "cap": config.flan_cap, "source": named, **sampled.facts}
    built.write("train/flan.json", sampled.lines(), facts)
    given = built.rows["train/flan.json"]
    if given < config.flan_n:
        built.lack(
            f"train/flan.json has {given:,} of {config.flan_n:,} records: the source has no more with a cap of "
            f"{config.flan_cap:,} per task"
        )


# ----------------------------------------------------------------------------------------------- validation and test


def _validation(config: BuildConfig, found: Releases, measure: Measure, built: Built) -> None:
    wanted = {"wikitablequestions": "validation", "mmlu": "validation" if config.mmlu_split == "val" else "dev"}
    name, parts = "validation/wtq_mmlu.json", []
    for benchmark, split in wanted.items():
        part = found.asked(benchmark, split, Prompts(), measure, config.budget)
        if part is None:
            built.lack(f"{name} lacks {benchmark}: {_absent(found, benchmark, split)}", found.why(benchmark, split))
        else:
            parts.append(part)
    if parts:
        _write_parts(name, parts, built)


def _test(config: BuildConfig, scale: str, prompts: Prompts, found: Releases, measure: Measure, built: Built) -> None:
    for short, benchmark in found.TESTS.items():
        name = f"test/{short}_tapex_{scale}.json"
        part = found.asked(benchmark, "test", prompts, measure, config.budget)
        if part is None:
            built.lack(f"{name} is missing: {_absent(found, benchmark, 'test')}", found.why(benchmark, "test"))
        else:
            _write_parts(name, [part], built)


def _absent(found: Releases, benchmark: str, split: str) -> str:
    return f"the release has no {split} split" if benchmark in found.folders else "no release of it is there"


def _write_parts(name: str, parts: list[TestFile], built: Built) -> None:
    lines = [(text, ITEMS.join(target)) for part in parts for text, target in part.lines]
    built.write(name, lines, {"parts": [dict(part.facts) for part in parts]})


# ------------------------------------------------------------------------------------------------ card and manifest


def _finish(config: BuildConfig, built: Built) -> dict[str, Any]:
    built.rows = dict(sorted(built.rows.items(), key=lambda item: SPLITS.index(item[0].partition("/")[0])))
    arguments = config.model_dump(mode="json", exclude={"out", "overwrite", "workers"})
    for name in ("tables", "benchmarks"):
        arguments[name] = None if arguments[name] is None else Path(arguments[name]).name
    arguments["prompts"] = [f"{scale}={path.name}" for scale, path in _pairs(config)]
    arguments["flan"] = None if config.flan is None else Path(config.flan).name
    train = {name: built.rows.get(f"train/{name}.json", 0) for name in ("flan", "sql")}
    wanted = {"flan": config.flan_n, "sql": config.sql_n}
    shares = {
        name: {
            "requested": wanted[name] / max(1, sum(wanted.values())),
            "realised": train[name] / max(1, sum(train.values())),
        }
        for name in train
    }
    body = {
        "rows": built.rows,
        "shares": shares,
        "files": built.facts,
        "missing": built.missing,
        "sha256": {name: sha256(built.folder / name) for name in built.rows},
        "versions": versions("pyarrow", "sqlglot"),
    }
    (built.folder / "README.md").write_text(card(arguments, body), "utf-8")
    write_manifest(built.folder, "build-dataset", arguments, body, {"workers": config.workers})
    return {"arguments": arguments, **body}
