"""Where the official release of each benchmark is published: the one table of addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symtune.benchmarks.bbh.tasks import TASKS


@dataclass(frozen=True, kw_only=True)
class Source:
    """A release: files by their paths in its folder, or an archive. layout: what to put where, in words.

    inside: the folder in the archive that contains the release; keep: beginnings of the paths below it to keep.
    """

    layout: str
    licence: str
    files: Mapping[str, str] = field(default_factory=dict)
    archive: str = ""
    inside: str = ""
    keep: tuple[str, ...] = ()

    @property
    def addresses(self) -> list[str]:
        """All addresses."""
        return [*self.files.values(), *([self.archive] if self.archive else [])]


_RAW = "https://raw.githubusercontent.com"
_GSM8K = f"{_RAW}/openai/grade-school-math/master/grade_school_math/data"
_SVAMP = f"{_RAW}/arkilpatel/SVAMP/main"
_BBH = f"{_RAW}/suzgunmirac/BIG-Bench-Hard/main"
_SQA = "https://download.microsoft.com/download/1/D/C/1DC270D2-1B53-4A61-A2E3-88AB3E4E6E1F"
_TABFACT = "948b5560e2f7f8c9139bd91c7f093346a2bb56a8"

SOURCES: Mapping[str, Source] = {
    "bbh": Source(
        layout="bbh/TASK.json and, for shots, cot-prompts/TASK.txt, for each of the 27 tasks",
        licence="MIT",
        files={
            f"{folder}/{task}.{ending}": f"{_BBH}/{folder}/{task}.{ending}"
            for folder, ending in (("bbh", "json"), ("cot-prompts", "txt"))
            for task in TASKS
        },
    ),
    "gsm8k": Source(
        layout="train.jsonl and test.jsonl",
        licence="MIT",
        files={f"{split}.jsonl": f"{_GSM8K}/{split}.jsonl" for split in ("train", "test")},
    ),
    "mmlu": Source(
        layout="data/dev/SUBJECT_dev.csv, data/val/SUBJECT_val.csv, data/test/SUBJECT_test.csv for each of 57 subjects",
        licence="MIT",
        archive="https://people.eecs.berkeley.edu/~hendrycks/data.tar",
        keep=("data/dev/", "data/val/", "data/test/"),
    ),
    "sqa": Source(
        layout="train.tsv, test.tsv, random-split-1-train.tsv, random-split-1-dev.tsv and the folder table_csv",
        licence="Microsoft Research Data License Agreement",
        archive=f"{_SQA}/SQA%20Release%201.0.zip",
        inside="SQA Release 1.0",
    ),
    "svamp": Source(
        layout="data/mawps-asdiv-a_svamp/train.csv and data/mawps-asdiv-a_svamp/dev.csv",
        licence="MIT",
        files={
            f"data/mawps-asdiv-a_svamp/{name}.csv": f"{_SVAMP}/data/mawps-asdiv-a_svamp/{name}.csv"
            for name in ("train", "dev")
        },
    ),
    "tabfact": Source(
        layout="tokenized_data/train_examples.json, val_examples.json and test_examples.json, and data/all_csv",
        licence="MIT; tables CC-BY-4.0",
        archive=f"https://github.com/wenhuchen/Table-Fact-Checking/archive/{_TABFACT}.zip",
        inside=f"Table-Fact-Checking-{_TABFACT}",
        keep=("data/", "tokenized_data/"),
    ),
    "wikisql": Source(
        layout="data/train.jsonl, data/train.tables.jsonl, and the same for dev and test",
        licence="BSD-3-Clause",
        archive="https://github.com/salesforce/WikiSQL/raw/master/data.tar.bz2",
        keep=("data/",),
    ),
    "wikitablequestions": Source(
        layout="the folders data (questions), csv (tables) and tagged (canonical answers)",
        licence="CC-BY-SA-4.0",
        archive="https://github.com/ppasupat/WikiTableQuestions/releases/download/v1.0.2/"
        "WikiTableQuestions-1.0.2-compact.zip",
        inside="WikiTableQuestions",
    ),
}
