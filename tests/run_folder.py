"""A hand-made run folder in the layout of docs/interface.md, with hostile text wherever text is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from symtune.seeds import rng

HOSTILE = "<script>alert(1)</script>\" onmouseover='x' {{ 7*7 }} {% raw %} 🙂 \x1b[31m"
TYPES = ("comparison", "count", "extreme", "lookup", "sum & mean")


def write(folder: Path, *, hostile: str = HOSTILE, n: int = 40) -> Path:
    """Write a complete run folder and return it."""
    draw = rng("fake run")
    (folder / "recipe.yaml").parent.mkdir(parents=True, exist_ok=True)
    recipe = f"name: quickstart\nseed: 7\n# {json.dumps(hostile)[1:-1]}\nmodel: smollm2-135m-instruct-gguf\n"
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    for stage, split in (("data", "train"), ("heldout", "test")):
        _data_set(folder / stage, split, hostile, n)
    shares = [_share("sql", "run:data", 0.8, 0.9, 900), _share(hostile[:30], "bundled:gsm8k", 0.2, 0.1, 100)]
    _manifest(folder / "mix", "mix", records=1000, shares=shares, sha256={"data/train.parquet": "ab" * 32})
    for stage, tokens in (("model", 101_234), ("control", 40_100)):
        dropped = {"completion would be cut": 3, hostile: 1}
        _manifest(
            folder / stage, "train", tokens=tokens, dropped=dropped, model={"weights_sha256": "cd" * 32}, passes=1.5
        )
        steps = [
            {
                "step": k,
                "tokens": k * 1000,
                "loss": 2.4 * 0.97**k + draw.random() * 0.5,
                "learning_rate": 1e-4,
            }
            for k in range(1, tokens // 1000 + 1)
        ]
        _lines(folder / stage / "log.jsonl", steps)
    correct = {
        name: _evaluation(folder / "evaluation" / name / "held_out", rate, hostile, n, draw) for name, rate in RATES
    }
    comparisons = [
        _comparison(correct, against, group) for against in ("before", "control", "chance") for group in ("", *TYPES)
    ]
    _manifest(folder, "run", comparisons=comparisons, versions={"symtune": "0.1.0", "torch": "2.13.0"})
    seconds = {
        "data": 4.2,
        "heldout": 1.3,
        "mix": 0.8,
        "model": 741.0,
        "control": 301.0,
        "evaluation/after/held_out": 88.0,
    }
    (folder / "stages.json").write_text(
        json.dumps({"begun": {name: {"seconds": took} for name, took in seconds.items()}})
    )
    return folder


RATES = (("before", 0.03), ("control", 0.31), ("after", 0.62))


def _data_set(folder: Path, split: str, hostile: str, n: int) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "tables").mkdir()
    examples, tables = [], []
    for k in range(n):
        kind = TYPES[k % len(TYPES)]
        info = {
            "sql": 'SELECT "Height (m)" FROM w\nWHERE "City" = \'' + hostile + "'",
            "tables": [f"t{k}"],
            "ordered": False,
            "operators": ["where"],
            "chance": 0.25,
            "query_type": kind,
        }
        examples.append(
            {
                "id": f"sql_execution/1/{split}/7/{k}/0",
                "task": "sql_execution",
                "prompt": f"Answer this.\n{hostile}\ncol : City | Height",
                "completion": "381",
                "answer": "381",
                "answer_type": "number",
                "table_id": "buildings",
                "prompt_template": "sql_execution/plain",
                "linearization": "tapex",
                "difficulty": 2.0,
                "info": json.dumps(info),
            }
        )
        table: dict[str, Any] = {
            "id": f"t{k}",
            "name": "w",
            "source": "buildings",
            "title": "Tall buildings",
            "header": ["City", "Height (m)", "Built", hostile[:25]],
            "types": ["text", "number", "date", "text"],
            "rows": [
                ["New York", "381", "1931-05-01", hostile],
                ["Chicago", "442", "1973-05-03", "x" * 300],
                ["Taipei", "508", "2004-12-31", ""],
            ]
            + [[f"City {row}", f"{row}", "2000-01-01", "—"] for row in range(k % 30)],
        }
        tables.append({"id": f"t{k}", "source": "buildings", "content": "0" * 32, "table": json.dumps(table)})
    pq.write_table(pa.Table.from_pylist(examples), folder / "data" / f"{split}-00000-of-00001.parquet")
    pq.write_table(pa.Table.from_pylist(tables), folder / "tables" / f"{split}-00000-of-00001.parquet")
    rejects = {"the answer is empty": 40, "the answer is ambiguous": 17}
    tasks = [{"name": "sql_execution", "version": 2, "options": {}, "examples": n, "rejects": rejects}]
    _manifest(folder, "generate", tasks=tasks, versions={"pyarrow": "20"})


def _evaluation(folder: Path, rate: float, hostile: str, n: int, draw: Any) -> list[float]:
    lines = []
    for k in range(n):
        correct = draw.random() < rate
        lines.append(
            {
                "id": f"sql_execution/1/test/7/{k}/0",
                "prompt_tokens": 99,
                "text": "381" if correct else f"The answer is {hostile}",
                "prediction": ["381"],
                "target": ["381"],
                "score": float(correct),
                "correct": correct,
                "groups": [TYPES[k % len(TYPES)]],
                "chance": 0.25,
                "finish": "stop",
                "rows_cut": 0,
            }
        )
    results = []
    for group in ("", *TYPES):
        chosen = [line["correct"] for line in lines if not group or group in line["groups"]]
        score = sum(chosen) / len(chosen)
        results.append(
            {
                "benchmark": "held_out",
                "split": "test",
                "metric": "denotation",
                "score": score,
                "n": len(chosen),
                "interval": [max(0, score - 0.13), min(1, score + 0.13)],
                "group": group,
                "notes": {"chance": 0.25 + 0.02 * len(group)} if group else _notes(lines, hostile),
            }
        )
    scores = [{"template": f"{hostile} {k}", "score": k / 8, "n": 8, "interval": [0, 1]} for k in (1, 5, 2)]
    model = {"name": hostile, "weights_sha256": folder.parent.name}
    _manifest(folder, "evaluate", versions={"torch": "2.13.0"}, model=model, prompt_scores=scores)
    _lines(folder / "errors.jsonl", [_error(line, hostile) for line in lines if not line["correct"]][:7])
    (folder / "results.json").write_text(json.dumps(results))
    _lines(folder / "predictions.jsonl", lines)
    return [float(line["correct"]) for line in lines]


def _notes(lines: list[dict[str, Any]], hostile: str) -> dict[str, Any]:
    right = sum(line["correct"] for line in lines)
    return {
        "chance": 0.25,
        "format": hostile,
        "verdicts": {"right": right, "wrong": len(lines) - right - 2, "truncated": 2},
        "truncated": 2,
        "in_domain": {"held_out": [f"sql: {hostile}"]},
        "prompt_selection": {
            "prompt": "another than chosen",
            "chosen": f"{hostile} 5",
            "selection_split": "validation",
            "questions": 8,
            "templates": 3,
            "minimum": 1 / 8,
            "mean": 1 / 3,
            "maximum": 5 / 8,
            "further_test_run": True,
            "other_test_runs": [hostile],
        },
    }


def _error(line: dict[str, Any], hostile: str) -> dict[str, Any]:
    table = {"id": "t", "header": ["City", hostile], "types": ["text", "number"], "rows": [[hostile, "381"]] * 30}
    return {
        **{name: line[name] for name in ("id", "groups", "chance", "target", "text")},
        "question": f"SELECT {hostile}",
        "tables": [{**table, "of_rows": 90, "of_columns": 2}],
        "prompt": hostile,
        "verdict": "truncated",
    }


def _comparison(correct: dict[str, list[float]], against: str, group: str) -> dict[str, Any]:
    after = sum(correct["after"]) / len(correct["after"])
    other = 0.25 if against == "chance" else sum(correct[against]) / len(correct[against])
    difference = after - other
    return {
        "evaluation": "held_out",
        "benchmark": "held_out",
        "split": "test",
        "metric": "denotation",
        "group": group,
        "of": "after",
        "against": against,
        "difference": difference,
        "interval": [difference - 0.1, difference + 0.1],
        "n": len(correct["after"]),
    }


def _share(name: str, path: str, requested: float, realised: float, records: int) -> dict[str, Any]:
    return {
        "name": name,
        "path": path,
        "available": records * 2,
        "wanted": records + 7,
        "records": records,
        "characters": records * 400,
        "completion_characters": records * 9,
        "requested": requested,
        "realised": realised,
        "dropped": {"duplicate": 2},
        "short": 7,
    }


def _manifest(folder: Path, verb: str, **body: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"symtune": verb, "arguments": {"seed": 7}, **body, "run": {"command": ["symtune", verb]}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
