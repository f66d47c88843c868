"""Evaluation: questions -> prompts -> what a model writes -> verdicts -> results.

exam = prepare(Asking(benchmark="wikitablequestions", data=Path("WikiTableQuestions"), limit=200))
results = evaluate(exam, open_model("smollm2-135m-instruct-gguf"), Path("evaluation"))

config     what to measure
exam       the benchmark, its questions and their prompts
judging    completions -> verdicts -> results; pure
partial    completions so far, from which an interrupted evaluation resumes
writing    the evaluation folder
errors     the worst errors, with their tables
selecting  every prompt template on validation -> a selection
selection  the selection file
standing   how a test run relates to selections and to other test runs
scoring    stored predictions -> verdicts, without a model
comparing  two evaluations of the same items, side by side
"""

from symtune.evaluation.config import Asking, EvaluateConfig, SelectConfig
from symtune.evaluation.exam import Exam, check_splits, prepare
from symtune.evaluation.scoring import score_file
from symtune.evaluation.selecting import candidates, select
from symtune.evaluation.selection import read_selection
from symtune.evaluation.writing import evaluate

__all__ = [
    "Asking",
    "EvaluateConfig",
    "Exam",
    "SelectConfig",
    "candidates",
    "check_splits",
    "evaluate",
    "prepare",
    "read_selection",
    "score_file",
    "select",
]
