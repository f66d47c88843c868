"""Mixtures: shares, determinism, drops, leaks, and invalid input."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symtune.config import load
from symtune.mixture import Mixture, Share, mix
from symtune.output import read_manifest
from symtune.types import InputError, LeakError, OutputError, SymtuneError


def jsonl(path: Path, count: int, word: str = "q") -> str:
    lines = [json.dumps({"input": f"{word} {k}", "output": f"a {k}"}) for k in range(count)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path.name


def data_set(folder: Path, count: int, split: str = "train") -> str:
    (folder / "data").mkdir(parents=True)
    rows = [
        {
            "id": f"sql/{k}",
            "prompt": f"table {k}",
            "completion": str(k),
            "answer_type": "number",
            "info": json.dumps({"query_type": "count"}),
        }
        for k in range(count)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder.name


def mixture(**given) -> Mixture:
    return Mixture.model_validate(given)


def rows(out: Path) -> list[dict]:
    return [row for shard in sorted((out / "data").glob("*.parquet")) for row in pq.read_table(shard).to_pylist()]


def counts(shares: list[Share]) -> dict[str, int]:
    return {share.name: share.records for share in shares}


def test_shares_follow_the_rates_and_are_recorded(tmp_path):
    sources = [
        {"name": "a", "path": jsonl(tmp_path / "a.jsonl", 50, "x"), "rate": 7},
        {"name": "b", "path": data_set(tmp_path / "b", 50), "rate": 3},
    ]
    shares = mix(mixture(seed=1, size=40, sources=sources), tmp_path / "mix", base=tmp_path)
    assert counts(shares) == {"a": 28, "b": 12}
    written = rows(tmp_path / "mix")
    assert [row["source"] for row in written].count("b") == 12
    assert list(written[0]) == ["id", "source", "prompt", "completion", "answer_type", "query_type"]
    assert {(row["answer_type"], row["query_type"]) for row in written if row["source"] == "b"} == {("number", "count")}
    manifest = read_manifest(tmp_path / "mix", "mix")
    assert manifest["records"] == 40
    assert set(manifest["inputs"]) == {"a", "b"}
    assert list(manifest["sha256"]) == ["data/train-00000-of-00001.parquet"]
    assert "configs:" in (tmp_path / "mix" / "README.md").read_text()


def test_the_folder_loads_with_datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    datasets = pytest.importorskip("datasets")
    mix(mixture(sources=[{"name": "g", "path": "bundled:gsm8k", "cap": 20}]), tmp_path / "mix")
    loaded = datasets.load_dataset(str(tmp_path / "mix"), cache_dir=str(tmp_path / "cache"))
    assert len(loaded["train"]) == 20


def test_same_arguments_same_bytes_other_seed_other_choice(tmp_path):
    given = {"size": 30, "sources": [{"name": "g", "path": "bundled:gsm8k", "rate": 1}]}
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        mix(mixture(seed=seed, **given), tmp_path / name)
    shard = "data/train-00000-of-00001.parquet"
    one, two, other = ((tmp_path / name / shard).read_bytes() for name in ("one", "two", "other"))
    assert one == two != other
    manifests = [read_manifest(tmp_path / name, "mix") for name in ("one", "two")]
    for manifest in manifests:
        del manifest["run"]
    assert manifests[0] == manifests[1]
    prompts = {name: {row["prompt"] for row in rows(tmp_path / name)} for name in ("one", "other")}
    assert len(prompts["one"] & prompts["other"]) < 10  # 30 of 1,000: about 1 in common by chance


def test_a_cap_and_a_short_source_are_said_and_not_filled(tmp_path):
    sources = [
        {"name": "a", "path": jsonl(tmp_path / "a.jsonl", 100, "x"), "rate": 0.5, "cap": 10},
        {"name": "b", "path": jsonl(tmp_path / "b.jsonl", 20, "y"), "rate": 0.5},
    ]
    shares = mix(mixture(size=100, sources=sources), tmp_path / "mix", base=tmp_path)
    assert counts(shares) == {"a": 10, "b": 20}
    assert [(share.wanted, share.short) for share in shares] == [(50, 40), (50, 30)]
    assert [round(share.realised, 2) for share in shares] == [0.33, 0.67]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ((0.75, 0.25), {"a": 60, "b": 20}),
        ((0.2, 0.8), {"a": 5, "b": 20}),
        ((None, None), {"a": 100, "b": 20}),
    ],
)
def test_without_a_size_every_source_keeps_its_share(tmp_path, rates, expected):
    sources = [
        {"name": "a", "path": jsonl(tmp_path / "a.jsonl", 100, "x"), "rate": rates[0]},
        {"name": "b", "path": jsonl(tmp_path / "b.jsonl", 20, "y"), "rate": rates[1]},
    ]
    assert counts(mix(mixture(sources=sources), tmp_path / "mix", base=tmp_path)) == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=4), st.integers(1, 60))
def test_quotas_add_up_to_the_size(tmp_path_factory, rates, size):
    base = tmp_path_factory.mktemp("law")
    sources = [
        {"name": str(k), "path": jsonl(base / f"{k}.jsonl", 60, f"s{k}"), "rate": rate} for k, rate in enumerate(rates)
    ]
    shares = mix(mixture(size=size, sources=sources), base / "mix", base=base)
    assert sum(share.records for share in shares) == size
    assert all(abs(share.records - share.requested * size) < 1 for share in shares)


def test_as_given_keeps_orders_and_interleaves_in_proportion(tmp_path):
    sources = [
        {"name": "a", "path": jsonl(tmp_path / "a.jsonl", 20, "x"), "rate": 2},
        {"name": "b", "path": jsonl(tmp_path / "b.jsonl", 20, "y"), "rate": 1},
    ]
    mix(mixture(size=15, order="as_given", sources=sources), tmp_path / "mix", base=tmp_path)
    written = rows(tmp_path / "mix")
    assert [row["prompt"] for row in written if row["source"] == "a"] == [f"x {k}" for k in range(10)]
    assert [row["prompt"] for row in written if row["source"] == "b"] == [f"y {k}" for k in range(5)]
    assert "".join(row["source"] for row in written) == "aba" * 5


def test_a_span_makes_a_curriculum(tmp_path):
    sources = [
        {"name": "a", "path": jsonl(tmp_path / "a.jsonl", 4, "x"), "span": [0, 0.25]},
        {"name": "b", "path": jsonl(tmp_path / "b.jsonl", 6, "y"), "span": [0.25, 1]},
        {"name": "c", "path": jsonl(tmp_path / "c.jsonl", 2, "z")},
    ]
    mix(mixture(order="as_given", sources=sources), tmp_path / "mix", base=tmp_path)
    assert "".join(row["source"] for row in rows(tmp_path / "mix")) == "aaaacbbbbcbb"


def test_what_is_dropped_is_counted(tmp_path):
    lines = [
        {"prompt": "p", "completion": "c"},
        {"prompt": "p", "completion": "c"},
        {"prompt": " \n", "completion": "c"},
        {"prompt": "p", "completion": ""},
        {"prompt": "\ud800", "completion": "c"},
        {"prompt": "pc", "completion": "c"},
        {"prompt": "p", "completion": "cc"},
    ]
    (tmp_path / "a.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    shares = mix(mixture(sources=[{"name": "a", "path": "a.jsonl"}]), tmp_path / "mix", base=tmp_path)
    dropped = {"duplicate": 1, "empty completion": 1, "empty prompt": 1, "unpaired surrogate": 1}
    assert shares[0].dropped == dropped
    assert counts(shares) == {"a": 3}
    assert read_manifest(tmp_path / "mix", "mix")["shares"][0]["dropped"] == dropped


def test_a_duplicate_of_another_source_is_dropped(tmp_path):
    sources = [
        {"name": "a", "path": jsonl(tmp_path / "a.jsonl", 5)},
        {"name": "b", "path": jsonl(tmp_path / "b.jsonl", 8)},
    ]
    shares = mix(mixture(sources=sources), tmp_path / "mix", base=tmp_path)
    assert counts(shares) == {"a": 5, "b": 3}
    assert shares[1].dropped == {"duplicate": 5}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_held_out_split_is_refused_unless_allowed(tmp_path, split):
    source = {"name": "sql", "path": data_set(tmp_path / "data-set", 5, split)}
    with pytest.raises(LeakError, match=split):
        mix(mixture(sources=[source]), tmp_path / "mix", base=tmp_path)
    assert not (tmp_path / "mix").exists()
    allowed = mixture(sources=[source | {"allow_heldout": True}])
    assert counts(mix(allowed, tmp_path / "mix", base=tmp_path)) == {"sql": 5}


def test_the_bundled_sample_ends_with_the_number(tmp_path):
    mix(mixture(sources=[{"name": "g", "path": "bundled:gsm8k"}]), tmp_path / "mix")
    written = rows(tmp_path / "mix")
    assert len(written) == 1000
    for row in written:
        assert float(row["completion"].rsplit("The answer is ", 1)[1].replace(",", "")) is not None
        assert "<<" not in row["completion"]
    assert "in-domain" in (tmp_path / "mix" / "README.md").read_text()


WRONG_CONFIGURATIONS = [
    ("", "the file is empty"),
    ("[1, 2]", "wanted a mapping with the keys seed, size"),
    ("sources: [", "m.yaml:1: not YAML"),
    ("a: {b", "m.yaml:1: not YAML"),
    ("sources: []", "m.yaml:1: sources: the list is empty"),
    ("seed: 1", "sources: missing"),
    ("sources: [{name: a, path: p}]\nsise: 3", "m.yaml:2: sise: unknown key. Did you mean 'size'?"),
    ("sources: [{name: a, pth: p}]", "sources[0].pth: unknown key. Did you mean 'path'?"),
    ("sources:\n- {name: a, path: p, rate: -1}", "m.yaml:2: sources[0].rate: got -1, wanted more than 0"),
    ("sources: [{name: a, path: p, rate: .nan}]", "sources[0].rate: got nan"),
    ("sources: [{name: a, path: p, rate: 1, rate: 2}]", "sources[0].rate: written twice"),
    ("sources: [{name: a, path: p, rate: 1}, {name: b, path: q}]", "'b' has no rate"),
    ("sources: [{name: a, path: p}, {name: a, path: q}]", "'a' is used twice"),
    ("size: 5\nsources: [{name: a, path: p}, {name: b, path: q}]", "needs a rate"),
    ("order: shufled\nsources: [{name: a, path: p}]", "wanted 'shuffled' or 'as_given'"),
    ("sources: [{name: a, path: p, span: [0, 0.5]}]", "needs `order: as_given`"),
    ("order: as_given\nsources: [{name: a, path: p, span: [0.5, 0.2]}]", "wanted 0 <= from < to <= 1"),
    ("a: &x [1]\nb: *x", "m.yaml:2: the alias *x is not allowed"),
    ("a: 2020-13-45", "not a YAML configuration"),
    ("sources: " + "[" * 5000, "m.yaml"),
]


@pytest.mark.parametrize(("text", "message"), WRONG_CONFIGURATIONS)
def test_wrong_configurations(tmp_path, text, message):
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "m.yaml", Mixture)
    assert message in str(caught.value)


def test_all_faults_are_named_at_once(tmp_path):
    (tmp_path / "m.yaml").write_text("seed: x\nsise: 3\nsources:\n- {name: a, path: p, rate: 0}\n- {name: b}\n")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "m.yaml", Mixture)
    for part in (
        "4 errors",
        "line 1: seed",
        "line 2: sise",
        "line 4: sources[0].rate",
        "line 5: sources[1].path",
    ):
        assert part in str(caught.value)


WRONG_SOURCES = [
    ("absent.jsonl", None, "absent.jsonl: no such file"),
    ("bundled:gsm8", None, "Did you mean 'gsm8k'?"),
    ("run:data", None, "only in a recipe"),
    ("a.csv", b"x", "wanted a data set folder, a .jsonl"),
    ("a.jsonl", b"", "no usable record (it is empty)"),
    ("a.jsonl", b'{"input": "", "output": ""}', "no usable record (1 empty prompt)"),
    ("a.jsonl", b'{"input": "a", "output": "b"}\n{"input": \n', "a.jsonl:2: not JSON"),
    ("a.jsonl", b"\xff\xfe\n", "a.jsonl: not utf-16-le text"),
    ("a.jsonl", b"[1]\n", "a.jsonl: record 1: got a JSON number"),
    ("a.jsonl", b'{"question": "a"}\n', "a.jsonl:1: keys question; wanted prompt and completion"),
    ("a.jsonl", b'{"input": 1, "output": "b"}\n', "a.jsonl:1: input is int, wanted a text"),
    ("a.jsonl", b"[" * 100_000, "a.jsonl: record 1: not JSON: nested too deeply"),
    ("a.jsonl.gz", b"not gzip", "a.jsonl.gz: cannot be read: not compressed"),
    ("a.jsonl.gz", gzip.compress(b'{"input": "a", "output": "b"}\n' * 999, mtime=0)[:-9], "cannot be read"),
    ("folder", None, "no such file or folder"),
]


@pytest.mark.parametrize(("path", "content", "message"), WRONG_SOURCES)
def test_wrong_sources_leave_nothing_behind(tmp_path, path, content, message):
    if content is not None:
        (tmp_path / path).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SymtuneError) as caught:
        mix(mixture(sources=[{"name": "a", "path": path}]), tmp_path / "mix", base=tmp_path)
    assert message in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_folders_that_are_no_data_sets(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no data/"):
        mix(mixture(sources=[{"name": "a", "path": "empty"}]), tmp_path / "mix", base=tmp_path)
    (tmp_path / "broken" / "data").mkdir(parents=True)
    (tmp_path / "broken" / "data" / "train-0.parquet").write_bytes(b"PAR1nothing")
    with pytest.raises(InputError, match="not a readable parquet file"):
        mix(mixture(sources=[{"name": "a", "path": "broken"}]), tmp_path / "mix", base=tmp_path)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "broken" / "data" / "train-0.parquet")
    with pytest.raises(InputError, match="row 1: keys x; wanted prompt and completion"):
        mix(mixture(sources=[{"name": "a", "path": "broken"}]), tmp_path / "mix", base=tmp_path)


def test_an_earlier_output_is_kept_unless_overwritten(tmp_path):
    asked = mixture(sources=[{"name": "g", "path": "bundled:gsm8k", "cap": 3}])
    mix(asked, tmp_path / "mix")
    with pytest.raises(OutputError, match="--overwrite"):
        mix(asked, tmp_path / "mix")
    assert counts(mix(asked, tmp_path / "mix", overwrite=True)) == {"g": 3}


def test_real_instruction_records(tmp_path, shared):
    path = shared / "instruct" / "instruct_mix.jsonl.gz"
    sources = [
        {"name": "instruct", "path": str(path), "rate": 3, "cap": 500},
        {"name": "g", "path": "bundled:gsm8k", "rate": 1},
    ]
    assert counts(mix(mixture(size=800, sources=sources), tmp_path / "mix")) == {"instruct": 500, "g": 200}
