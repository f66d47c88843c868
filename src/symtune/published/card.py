"""The card of the published layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

SPLITS = ("train", "validation", "test")


def card(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """README.md, for `load_dataset` and for people."""
    return "\n".join(_lines(arguments, body)) + "\n"


def _lines(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    rows = body["rows"]
    splits = [split for split in SPLITS if any(name.startswith(f"{split}/") for name in rows)]
    files = [{"split": split, "path": f"{split}/*.json"} for split in splits]
    front = {"configs": [{"config_name": "default", "data_files": files}]}
    yield from ("---", yaml.safe_dump(front, sort_keys=False).rstrip(), "---", "")
    yield from ("# Symbolic instruction tuning: the published layout", "")
    yield "Made by `symtune build-dataset`. All files are JSON lines of `input` and `output`;"
    yield 'items of an answer are separated by ", ". manifest.json has every argument and count.'
    yield from ("", "| file | rows | content |", "|---|---:|---|")
    for name, count in rows.items():
        yield f"| {name} | {count:,} | {_what(body['files'][name])} |"
    yield from ("", "| part of train | requested | realised |", "|---|---:|---:|")
    for name, share in body["shares"].items():
        yield f"| {name} | {share['requested']:.1%} | {share['realised']:.1%} |"
    if body["missing"]:
        yield from ("", "## Missing", "")
        yield from (f"- {what}" for what in body["missing"])


def _what(facts: Mapping[str, Any]) -> str:
    if "parts" in facts:
        return "; ".join(
            f"{part['benchmark']} {part['split']}, prompt {part['prompt']} ({part['prompt chosen by']})"
            + (f", {part['tables cut']:,} tables cut" if part["tables cut"] else "")
            + (f", {part['over the budget']:,} over the budget" if part["over the budget"] else "")
            for part in facts["parts"]
        )
    if "source" in facts:
        return f"{facts['source']}: {facts['tasks']:,} tasks; at most {facts['cap']:,} records of each count"
    excluded = ", ".join(facts["excluded"])
    return f"{facts['made']}" + (f"; without the tables of {excluded}" if excluded else "")
