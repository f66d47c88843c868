"""Prompts: tables as text (linearizations) and prompt templates.

template = load_templates("sql_execution")[0]
prompt = template.render({"table": linearize(table, "tapex"), "sql": "SELECT COUNT(*) FROM w"})
"""

from symtune.prompts.linearize import LINEARIZATIONS, linearize, linearize_all
from symtune.prompts.template import PromptTemplate, load_templates, read_templates

__all__ = [
    "LINEARIZATIONS",
    "PromptTemplate",
    "linearize",
    "linearize_all",
    "load_templates",
    "read_templates",
]
