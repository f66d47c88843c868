"""Tiny folders in the layouts of official releases, with content of our own."""

from __future__ import annotations

import json
from pathlib import Path

SVAMP_HEADER = "Question,Numbers,Equation,Answer,group_nums,Body,Ques"
SVAMP_ROWS = [
    '"Ann has number0 hens , and Bo has number1 . How many hens are there ?",18 10,+ number0 number1,28.0,"[1, 2]",b,q',
    'A kilo costs number0 dollars . What do number1 kilos cost ?,2.5 3.0,* number0 number1,7.5,"[1]",b,q',
    "number0 of number0 birds fly away . How many stay ?,4.0,- number0 number0,0.0,[1],b,q",
]


def svamp_release(folder: Path) -> Path:
    """SVAMP: three problems in each file; those of train.csv begin with "Once"."""
    inside = folder / "data" / "mawps-asdiv-a_svamp"
    inside.mkdir(parents=True)
    (inside / "dev.csv").write_text("\n".join([SVAMP_HEADER, *SVAMP_ROWS]) + "\n", "utf-8")
    once = [row.replace('"Ann', '"Once Ann').replace("A kilo", "Once a kilo") for row in SVAMP_ROWS]
    (inside / "train.csv").write_text("\n".join([SVAMP_HEADER, *once]) + "\n", "utf-8")
    return folder


MMLU_ROWS = {
    "anatomy": [
        '"Which bone, of these, is in the arm?",rib,ulna,femur,skull,B',
        "How many lungs?,one,two,three,four,B",
    ],
    "astronomy": ['"Which planet has ""rings""?\nName it.",Mars,Venus,Saturn,Mercury,C'],
}


def mmlu_release(folder: Path) -> Path:
    """MMLU: two of the 57 subjects, with three questions in test and in val and five shots each in dev."""
    for subject, rows in MMLU_ROWS.items():
        shots = [f"Shot {number} of {subject}?,p,q,r,s,{'ABCDA'[number]}" for number in range(5)]
        for part, lines in (("test", rows), ("val", rows), ("dev", shots)):
            path = folder / "data" / part / f"{subject}_{part}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", "utf-8")
    return folder


BBH_EXAMPLES = {
    "navigate": [("Take 2 steps. Take 2 steps back. Home?\nOptions:\n- Yes\n- No", "Yes")],
    "penguins_in_a_table": [
        ("name, age\nAda, 3\nBo, 5\nWho is older?\nOptions:\n(A) Ada\n(B) Bo", "(B)"),
        ("name, age\nAda, 3\nBo, 5\nWho is 3?\nOptions:\n(A) Ada\n(B) Bo", "(A)"),
    ],
}
CANARY = "A line that says what must not be trained on."
WORKED = """Q: Worked {number} of {task}?
Options:
- Yes
- No
A: Let's think step by step.
One step.
Two. So the answer is Yes."""


def bbh_release(folder: Path) -> Path:
    """BIG-Bench Hard: two of the 27 tasks, three questions in all, and three worked examples of each task."""
    (folder / "bbh").mkdir(parents=True)
    (folder / "cot-prompts").mkdir()
    for task, examples in BBH_EXAMPLES.items():
        shots = [WORKED.format(number=number, task=task) for number in range(3)]
        text = "\n\n".join([f"{CANARY}\n-----\nWhat {task} is.", *shots])
        (folder / "cot-prompts" / f"{task}.txt").write_text(text, "utf-8")
        content = {"canary": CANARY, "examples": [{"input": asked, "target": target} for asked, target in examples]}
        (folder / "bbh" / f"{task}.json").write_text(json.dumps(content, indent=2), "utf-8")
    return folder
