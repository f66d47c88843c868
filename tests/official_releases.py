"""Tiny folders in the layouts of official releases, all in our own words."""

from __future__ import annotations

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
