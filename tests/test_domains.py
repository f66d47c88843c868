"""In-domain marks: what names mention, and how this is passed on from sources through checkpoints to results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symtune.domains import domains_of, mentioned
from symtune.evaluation import evaluate
from symtune.mixture import Mixture, mix
from test_benchmarks import data_set
from test_evaluate import Oracle, exam_of

MENTIONED = [
    ("flan_gsm8k_cot", ["gsm8k"]),
    ("GSM8K/train.jsonl", ["gsm8k"]),
    ("bundled:gsm8k", ["gsm8k"]),
    ("p3/wiki_table_questions", ["wikitablequestions"]),
    ("data/WikiTableQuestions-train.jsonl.gz", ["wikitablequestions"]),
    ("wtq+WikiSQL", ["wikisql", "wikitablequestions"]),
    ("TabFact", ["tabfact"]),
    ("cosmosqa, commonsense_qa, squad, tables", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "found"), MENTIONED)
def test_names_that_mention_benchmarks(text: str, found: list[str]) -> None:
    assert mentioned(text) == found


def test_marks_go_from_sources_to_results(tmp_path: Path) -> None:
    data_set(tmp_path / "sql", split="train")
    (tmp_path / "sql" / "manifest.json").write_text(
        json.dumps(
            {
                "symtune": "generate",
                "arguments": {"tables": "WikiTableQuestions"},
                "tasks": [{"name": "sql_execution", "imitates": ["wikisql"]}],
            }
        )
    )
    records = [{"input": f"q{n}", "output": "a", "task": ["flan_svamp", "niv2_x"][n % 2]} for n in range(4)]
    (tmp_path / "mixed.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    sources = [{"name": "sql", "path": "sql"}, {"name": "some", "path": "mixed.jsonl"}]
    mix(Mixture.of({"sources": sources}), tmp_path / "mix", base=tmp_path)
    wanted = {
        "sql_execution": ["sql: examples of sql_execution"],
        "svamp": ["some: 2 records that name it"],
        "wikisql": ["sql: examples of sql_execution, which imitates it"],
        "wikitablequestions": ["sql: questions about its tables (WikiTableQuestions)"],
    }
    assert domains_of(tmp_path / "mix") == wanted
    for name, key in (("held_out", "sql_execution"), ("svamp", "svamp"), ("gsm8k", "")):
        exam = exam_of(tmp_path / name, name)
        model = Oracle(exam.questions, name=str(tmp_path / "mix"))  # as a checkpoint, which has the same manifest
        notes = evaluate(exam, model, tmp_path / name / "out")[0].notes
        assert notes.get("in_domain", {}) == ({key: wanted[key]} if key else {})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"symtune": "generate", "tasks": 1}', '{"in_domain": 1}'])
def test_a_manifest_that_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    assert domains_of(tmp_path) == {}
    assert domains_of(tmp_path / "absent") == {}
