"""Comparing two evaluations: the differences between their files, and what cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symtune.evaluation import evaluate
from symtune.evaluation.comparing import compare
from symtune.intervals import mcnemar, paired_difference
from symtune.types import InputError
from test_evaluate import Oracle, command, exam_of


def lines(path: Path, scores: dict[str, float], **more: object) -> Path:
    said = [
        {"id": id, "text": f"said {score}", "target": ["a"], "score": score, **more} for id, score in scores.items()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in said), "utf-8")
    return path


def test_evaluations_of_the_same_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exam = exam_of(tmp_path)
    evaluate(exam, Oracle(exam.questions, wrong=[0, 1]), tmp_path / "a")
    evaluate(exam, Oracle(exam.questions, wrong=[2]), tmp_path / "b")
    found = compare(tmp_path / "a", tmp_path / "b")
    assert found.benchmark == "held_out, test split"
    assert (found.whole.won, found.whole.lost, found.whole.p) == (2, 1, mcnemar(2, 1))
    assert (found.whole.difference, found.whole.interval) == paired_difference([0, 0, 1], [1, 1, 0])
    assert {group.group for group in found.groups} >= {"count", "lookup"}
    assert [item.id[-1] for item in found.changed] == ["0", "1", "2"]
    command(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "-n", "1", "--out", str(tmp_path / "c.json")])
    told = capsys.readouterr().out
    assert "I do not know" in told
    assert "2 more items changed" in told
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["whole"]["won"] == 2
    same = compare(tmp_path / "a", tmp_path / "a")
    assert (same.changed, same.whole.difference, same.whole.p) == ((), 0.0, 1.0)


def test_files_of_scored_lines_and_items_of_one_side(tmp_path: Path) -> None:
    a = lines(tmp_path / "a.jsonl", {"x": 1, "y": 0.5, "z": 0})
    b = lines(tmp_path / "b.jsonl", {"y": 1, "x": 1, "w": 1})
    found = compare(a, b)
    assert (found.whole.n, found.only_first, found.only_second, found.whole.won) == (2, 1, 1, 1)
    assert [(item.id, item.first["score"], item.second["score"]) for item in found.changed] == [("y", 0.5, 1)]


BAD = [
    ('{"score": 1}', "b.jsonl:1: id: got null"),
    ('{"id": "x", "score": true}', "b.jsonl:1: score: got true"),
    ('{"id": "x", "score": 2}', "b.jsonl:1: score: got 2"),
    ('{"id": "x", "score": 1, "target": ["b"]}', "item 'x' has another target"),
    ('{"id": "x", "score": 1}\n{"id": "x", "score": 1}', "b.jsonl:2: the id 'x' is on an earlier line too"),
    ('{"id": "v", "score": 1}', "no item in common"),
    ("", "b.jsonl: no lines in it"),
]


@pytest.mark.parametrize(("content", "fault"), BAD)
def test_what_cannot_be_compared_is_one_line(tmp_path: Path, content: str, fault: str) -> None:
    a = lines(tmp_path / "a.jsonl", {"x": 1})
    (tmp_path / "b.jsonl").write_text(content)
    with pytest.raises(InputError) as caught:
        compare(a, tmp_path / "b.jsonl")
    assert fault in str(caught.value)


def test_other_benchmarks_and_absent_folders(tmp_path: Path) -> None:
    for name, folder in (("held_out", "a"), ("gsm8k", "b")):
        exam = exam_of(tmp_path / folder, name)
        evaluate(exam, Oracle(exam.questions), tmp_path / folder / "out")
    with pytest.raises(InputError, match=r"is of held_out, test split, .* of gsm8k, "):
        compare(tmp_path / "a" / "out", tmp_path / "b" / "out")
    with pytest.raises(InputError, match="no such file"):
        compare(tmp_path / "absent", tmp_path / "b" / "out")
