"""Sources with rate and cap -> one training set, written to files.

    mixture = load(Path("mix.yaml"), Mixture)         # symtune.config.load
    shares = mix(mixture, Path("mix"), base=Path("mix.yaml").parent)

Which records a source gives, and in which order they are written, depends only on the seed, the sources' names and
their records. Each source gives at most its share of `size`: if one has fewer records, that is reported, and
no other source makes up for it. Without `size`, the mixture is the largest in which every source keeps its share;
without rates as well, every source gives all its records, up to its cap.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from symtune import records
from symtune.config import Strict
from symtune.domains import domains_of, each, mentioned, merged
from symtune.output import new_folder, sha256, versions, write_manifest
from symtune.records import Item, Notes
from symtune.seeds import digest, rng
from symtune.splitting import check_same_splits, splits_of
from symtune.types import InputError, LeakError

ROWS_PER_SHARD = 50_000
SHOWN_KEYS = 12
RUN_SCHEME = "run:"  # in a recipe, a folder written by an earlier stage of the same run
SCHEMA = pa.schema([(name, pa.string()) for name in records.COLUMNS])


class Source(Strict):
    """One source of records: see docs/interface.md."""

    name: str = Field(min_length=1, max_length=200)
    path: str = Field(min_length=1)
    rate: float | None = Field(default=None, gt=0)
    cap: int | None = Field(default=None, gt=0)
    allow_heldout: bool = False  # unless set, a validation or test split is refused
    span: tuple[float, float] = (0.0, 1.0)  # with `as_given`: where in the mixture its records go


class Mixture(Strict):
    """What to mix. `order: as_given` keeps each source's own order and interleaves them proportionally, each over
    its `span` of the mixture: a curriculum.
    """

    seed: int = 0
    size: int | None = Field(default=None, gt=0)
    order: Literal["shuffled", "as_given"] = "shuffled"
    sources: tuple[Source, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Mixture:
        if not self.sources:
            raise ValueError("sources: the list is empty; a mixture needs at least one source")
        twice = [name for name, count in Counter(source.name for source in self.sources).items() if count > 1]
        if twice:
            raise ValueError(f"sources: the name {twice[0]!r} is used twice; names must differ")
        for source in self.sources:
            if not 0 <= source.span[0] < source.span[1] <= 1:
                raise ValueError(f"sources: {source.name!r}: span is {source.span}; wanted 0 <= from < to <= 1")
            if source.span != (0, 1) and self.order == "shuffled":
                raise ValueError(f"sources: {source.name!r} has a span, which needs `order: as_given`")
        without = [source.name for source in self.sources if source.rate is None]
        if without and len(without) < len(self.sources):
            raise ValueError(f"sources: {without[0]!r} has no rate; give one to every source, or to none")
        if self.size and without and len(self.sources) > 1:
            raise ValueError("size: needs a rate for every source, which says how many records to take from it")
        return self


@dataclass(frozen=True, slots=True)
class Share:
    """What happened to one source: `requested` and `realised` are shares of the mixture in [0, 1]."""

    name: str
    path: str
    available: int  # distinct, non-empty records
    wanted: int  # the share of `size`, before cap and shortage
    records: int
    characters: int  # of prompts and completions
    completion_characters: int
    requested: float
    realised: float
    dropped: Mapping[str, int]  # by reason
    first_dropped: Mapping[str, str]  # by reason: where the first one is
    ignored: Mapping[str, int]  # keys of records that are not read -> number of records

    @property
    def ignored_keys(self) -> str:
        """One sentence about the keys of records that are not read, the most frequent first; "" if there are none."""
        ranked = sorted(self.ignored.items(), key=lambda key: (-key[1], key[0]))
        shown = [f"{name} ({count:,})" for name, count in ranked[:SHOWN_KEYS]]
        more = [f"{len(ranked) - SHOWN_KEYS:,} more"] if len(ranked) > SHOWN_KEYS else []
        return f"ignored keys (records): {', '.join(shown + more)}" if ranked else ""

    @property
    def short(self) -> int:
        """The number of records by which the source falls short of its rate."""
        return self.wanted - self.records


@dataclass(slots=True)
class _Survey:
    """A source after the first reading: which of its records are usable, without their texts."""

    source: Source
    path: Path
    usable: array[int]  # positions
    notes: Notes

    @property
    def limit(self) -> int:
        return min(len(self.usable), self.source.cap or len(self.usable))


def mix(
    mixture: Mixture, out: Path, *, base: Path = Path(), run: Path | None = None, overwrite: bool = False
) -> list[Share]:
    """Write the training set folder `out` and return each source's share, in the order of the sources.

    Relative paths are read from `base`; `run:NAME` is a stage's folder in `run`. Raises InputError for a
    source that is missing, broken or empty, and LeakError for a held-out split. Memory: about 110 bytes for
    each record read, and the text of the records chosen.
    """
    found = [(source, _find(source, base, run)) for source in mixture.sources]
    splits = check_same_splits({source.path: splits_of(path) for source, path in found})
    with new_folder(out, overwrite=overwrite) as folder:
        surveys = _survey(found)
        wanted = _wanted(mixture, surveys)
        chosen = [
            _chosen(mixture, survey, min(count, survey.limit)) for survey, count in zip(surveys, wanted, strict=True)
        ]
        shares = _shares(mixture, surveys, wanted, chosen)
        shards = _write(folder, _ordered(mixture, chosen))
        (folder / "README.md").write_text(_card(mixture, shares), "utf-8")
        in_domain = merged(
            pair for survey, share in zip(surveys, shares, strict=True) if share.records for pair in _domains(survey)
        )
        inputs = {source.name: {file.name: sha256(file) for file in records.files(path)} for source, path in found}
        body = {
            "records": sum(share.records for share in shares),
            "shares": [asdict(share) | {"short": share.short} for share in shares],
            "inputs": inputs,
            "splits": splits,
            "in_domain": in_domain,
            "sha256": shards,
            "versions": versions("pyarrow"),
        }
        write_manifest(folder, "mix", mixture.model_dump(mode="json"), body, {"out": str(out)})
    return shares


def _find(source: Source, base: Path, run: Path | None) -> Path:
    if source.path.startswith(RUN_SCHEME):
        if run is None:
            raise InputError(f"source {source.name!r}: {source.path} has meaning only in a recipe; give a path")
        path = records.find(source.path.removeprefix(RUN_SCHEME), run)
    else:
        path = records.find(source.path, base)
    records.files(path)
    held = records.heldout(path)
    if held and not source.allow_heldout:
        raise LeakError(
            f"source {source.name!r}: {path} holds the {held[0]} split, which is for evaluation; mix the "
            "train split, or write `allow_heldout: true` on the source if you mean it"
        )
    return path


def _survey(found: Sequence[tuple[Source, Path]]) -> list[_Survey]:
    """Read every source once; a record that has been seen before, in any source, is a duplicate."""
    seen: set[bytes] = set()
    surveys = []
    for source, path in found:
        survey = _Survey(source, path, array("Q"), Notes())
        for position, item in enumerate(records.records(path, survey.notes)):
            key = digest(len(item.prompt), item.prompt, item.completion)
            if key in seen:
                survey.notes.drop("duplicate", item.id)
            else:
                seen.add(key)
                survey.usable.append(position)
        if not survey.usable:
            reasons = ", ".join(f"{count} {reason}" for reason, count in survey.notes.dropped.items()) or "it is empty"
            raise InputError(f"source {source.name!r}: {path}: no usable record ({reasons})")
        surveys.append(survey)
    return surveys


def _domains(survey: _Survey) -> Iterator[tuple[str, str]]:
    """The benchmarks and tasks from which a source contains anything, with the reason."""
    source = survey.source
    yield from each(domains_of(survey.path), source.name)
    for name in mentioned(f"{source.name} {source.path}"):
        yield name, f"{source.name}: {source.path}"
    counts: Counter[str] = Counter()
    for origin, count in survey.notes.origins.items():
        counts.update(dict.fromkeys(mentioned(origin), count))
    for name, count in sorted(counts.items()):
        yield name, f"{source.name}: {count:,} records that name it"


def _requested(surveys: Sequence[_Survey]) -> list[float]:
    """The shares that the rates request; without rates, in proportion to what each source may give."""
    rates = [survey.limit if survey.source.rate is None else survey.source.rate for survey in surveys]
    return [rate / sum(rates) for rate in rates]


def _wanted(mixture: Mixture, surveys: Sequence[_Survey]) -> list[int]:
    """The number of records wanted from each source: its share of the size, rounded by largest remainder."""
    if all(survey.source.rate is None for survey in surveys):
        return [min(survey.limit, mixture.size or survey.limit) for survey in surveys]
    shares = _requested(surveys)
    size = mixture.size
    if size is None:
        size = int(min(survey.limit / share for survey, share in zip(surveys, shares, strict=True)) + 1e-9)
    counts = [int(share * size + 1e-9) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda k: (counts[k] - shares[k] * size, k))
    for k in by_remainder[: size - sum(counts)]:
        counts[k] += 1
    return counts


def _chosen(mixture: Mixture, survey: _Survey, count: int) -> list[Item]:
    """`count` records of the source, in its own order: drawn at random, or the first under `as_given`."""
    positions: Sequence[int] = survey.usable
    if mixture.order == "shuffled":
        draw = rng("mixture", mixture.seed, "choice", survey.source.name)
        positions = sorted(draw.sample(range(len(survey.usable)), count))
        positions = [survey.usable[k] for k in positions]
    keep = set(positions[:count])
    return [item for position, item in enumerate(records.records(survey.path)) if position in keep]


def _ordered(mixture: Mixture, chosen: Sequence[Sequence[Item]]) -> list[tuple[str, Item]]:
    """The records with the names of their sources, in the order in which they are written."""
    names = [source.name for source in mixture.sources]
    if mixture.order == "shuffled":
        everything = [(name, item) for name, source in zip(names, chosen, strict=True) for item in source]
        rng("mixture", mixture.seed, "order").shuffle(everything)
        return everything
    places = []
    for index, (source, items) in enumerate(zip(mixture.sources, chosen, strict=True)):
        begin, end = source.span
        places += [(begin + (end - begin) * (k + 0.5) / len(items), index, item) for k, item in enumerate(items)]
    return [(names[index], item) for _, index, item in sorted(places, key=lambda place: place[:2])]


def _shares(
    mixture: Mixture, surveys: Sequence[_Survey], wanted: Sequence[int], chosen: Sequence[Sequence[Item]]
) -> list[Share]:
    total = sum(map(len, chosen))
    if not total:
        raise InputError(
            f"the mixture is empty: size {mixture.size} is too small for any source to give a record; raise it"
        )
    requested = _requested(surveys)
    return [
        Share(
            name=survey.source.name,
            path=survey.source.path,
            available=len(survey.usable),
            wanted=wanted[k],
            records=len(chosen[k]),
            characters=sum(len(item.prompt) + len(item.completion) for item in chosen[k]),
            completion_characters=sum(len(item.completion) for item in chosen[k]),
            requested=requested[k],
            realised=len(chosen[k]) / total,
            dropped=dict(sorted(survey.notes.dropped.items())),
            first_dropped=dict(sorted(survey.notes.first.items())),
            ignored=dict(sorted(survey.notes.ignored.items())),
        )
        for k, survey in enumerate(surveys)
    ]


def _write(folder: Path, ordered: Sequence[tuple[str, Item]]) -> dict[str, str]:
    (folder / "data").mkdir()
    shards = range(0, len(ordered), ROWS_PER_SHARD)
    written = {}
    for number, start in enumerate(shards):
        rows = [item._asdict() | {"source": name} for name, item in ordered[start : start + ROWS_PER_SHARD]]
        name = f"data/train-{number:05d}-of-{len(shards):05d}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), folder / name, compression="zstd")
        written[name] = sha256(folder / name)
    return written


def _card(mixture: Mixture, shares: Sequence[Share]) -> str:
    return "\n".join(_card_lines(mixture, shares)) + "\n"


def _card_lines(mixture: Mixture, shares: Sequence[Share]) -> Iterator[str]:
    yield from ("---", "configs:", "- config_name: default", "  data_files:", "  - split: train")
    yield from ("    path: data/train-*.parquet", "---", "", "# A training set mixed by symtune", "")
    total = sum(share.records for share in shares)
    yield f"{total:,} records, order {mixture.order}, seed {mixture.seed}."
    yield from ("", "| source | path | requested | realised | records | characters | dropped |")
    yield "|---|---|---:|---:|---:|---:|---|"
    for share in shares:
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in share.dropped.items()) or "none"
        name, path = (text.replace("|", "\\|").replace("\n", " ") for text in (share.name, share.path))
        yield (
            f"| {name} | {path} | {share.requested:.1%} | {share.realised:.1%} | {share.records:,} "
            f"| {share.characters:,} | {dropped} |"
        )
    for share in shares:
        if share.ignored:
            yield from ("", f"{share.name}: {share.ignored_keys}.")
    for share in shares:
        if share.path.startswith(records.BUNDLED_SCHEME):
            yield from (
                "",
                f"{share.path}: {records.NOTES[share.path.removeprefix(records.BUNDLED_SCHEME)]}.",
            )
