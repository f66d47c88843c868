"""Evaluation: questions -> prompts -> what a model writes -> verdicts -> results.

exam = prepare(Asking(benchmark="wikitablequestions", data=Path("WikiTableQuestions"), limit=200))
results = evaluate(exam, open_model("smollm2-135m-instruct-gguf"), Path("evaluation"))

config     what to measure
exam       the benchmark, its questions and their prompts
judging    completions -> verdicts -> results; pure
partial    completions so far, from which an interrupted evaluation resumes
writing    the evaluation folder
scoring    stored predictions -> verdicts, without a model
"""

from symtune.evaluation.config import Asking, EvaluateConfig
from symtune.evaluation.exam import Exam, check_splits, prepare
from symtune.evaluation.scoring import score_file
from symtune.evaluation.writing import evaluate

__all__ = ["Asking", "EvaluateConfig", "Exam", "check_splits", "evaluate", "prepare", "score_file"]
