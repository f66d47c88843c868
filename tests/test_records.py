"""Records in every published layout: what becomes prompt and completion, what is dropped, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.cli import main
from symtune.mixture import Mixture, mix
from symtune.output import read_manifest
from symtune.records import Notes, heldout, records
from symtune.types import InputError, LeakError


def read(path: Path, *rows: dict, notes: Notes | None = None) -> list[tuple[str, str]]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [(item.prompt, item.completion) for item in records(path, notes)]


def openai(*turns: tuple[str, str]) -> list[dict]:
    return [{"role": role, "content": text} for role, text in turns]


def sharegpt(*turns: tuple[str, str]) -> list[dict]:
    return [{"from": role, "value": text} for role, text in turns]


DIALOGUE = "User: q1\n\nAssistant: a1\n\nUser: q2\n\nAssistant:"
USER, GPT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}

PARTED = {"role": "assistant", "content": [{"type": "text", "text": "a"}], "name": None}

# name: (a record, its prompt, its completion)
LAYOUTS = {
    "Alpaca": ({"instruction": "Translate.", "input": "dog", "output": "chien"}, "Translate.\n\ndog", "chien"),
    "Alpaca, empty input": ({"instruction": "Name one.", "input": "", "output": "red"}, "Name one.", "red"),
    "Alpaca, blank input": ({"instruction": "Name one.", "input": " \n", "output": "red"}, "Name one.", "red"),
    "Alpaca, null input": ({"instruction": "Name one.", "input": None, "output": "red"}, "Name one.", "red"),
    "Alpaca, no input": ({"instruction": "Name one.", "output": "red"}, "Name one.", "red"),
    "Alpaca, noinput": ({"instruction": "Name one.", "input": "<noinput>", "output": "red"}, "Name one.", "red"),
    "Alpaca, its text": ({"instruction": "i", "input": "", "output": "o", "text": "### i o"}, "i", "o"),
    "Alpaca, history": (
        {"instruction": "q2", "input": "", "output": "a2", "system": "s", "history": [["q1", "a1"]]},
        f"s\n\n{DIALOGUE}",
        "a2",
    ),
    "Dolly": ({"instruction": "Who?", "context": "Al.", "response": "Al", "category": "qa"}, "Al.\n\nWho?", "Al"),
    "Dolly, empty context": ({"instruction": "Who?", "context": "", "response": "Al"}, "Who?", "Al"),
    "prompt, completion": ({"prompt": " p\n", "completion": " c"}, " p\n", " c"),
    "prompt, response": ({"prompt": "p", "response": "c"}, "p", "c"),
    "prompt, completion, system": ({"prompt": "p", "completion": "c", "system_prompt": "s"}, "s\n\np", "c"),
    "prompt of messages": ({"prompt": openai(("system", "s"), ("user", "q")), "completion": [GPT]}, "s\n\nq", "a"),
    "prompt of messages, a text": ({"prompt": [USER], "completion": "a"}, "q", "a"),
    "inputs, targets": ({"inputs": "i", "targets": "t", "task": "x"}, "i", "t"),
    "input, output": ({"input": "i", "output": "o"}, "i", "o"),
    "input, output, empty instruction": ({"instruction": "", "input": "i", "output": "o"}, "i", "o"),
    "input, output, contexts": ({"input": "i", "output": "o", "context": ["c1", "c2"]}, "c1\n\nc2\n\ni", "o"),
    "messages": ({"messages": [USER, GPT]}, "q", "a"),
    "messages, system": ({"messages": openai(("system", "s"), ("user", "q"), ("assistant", "a"))}, "s\n\nq", "a"),
    "messages, developer": ({"messages": openai(("developer", "s"), ("user", "q"), ("assistant", "a"))}, "s\n\nq", "a"),
    "messages, context": ({"messages": [USER, GPT], "system": "s", "context": "c"}, "s\n\nc\n\nq", "a"),
    "messages in parts": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, PARTED]},
        "q",
        "a",
    ),
    "messages, several": (
        {"messages": openai(("user", "q1"), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2"))},
        DIALOGUE,
        "a2",
    ),
    "messages, a late system": (
        {"messages": openai(("user", "q1"), ("system", "s"), ("user", "q2"), ("assistant", "a"))},
        "User: q1\n\nSystem: s\n\nUser: q2\n\nAssistant:",
        "a",
    ),
    "messages, their prompt": ({"prompt": "q", "messages": [USER, GPT]}, "q", "a"),
    "messages, a question at the end": ({"messages": [USER, GPT, {"role": "user", "content": "more"}]}, "q", "a"),
    "messages of a tool": (
        {"messages": openai(("user", "q"), ("tool", "5"), ("assistant", "a"))},
        "User: q\n\nTool: 5\n\nAssistant:",
        "a",
    ),
    "ShareGPT": ({"conversations": sharegpt(("human", "q"), ("gpt", "a")), "id": "x"}, "q", "a"),
    "ShareGPT, several": (
        {"conversations": sharegpt(("human", "q1"), ("gpt", "a1"), ("human", "q2"), ("gpt", "a2")), "system": "s"},
        f"s\n\n{DIALOGUE}",
        "a2",
    ),
    "ShareGPT, the model begins": (
        {"conversations": sharegpt(("gpt", "hi"), ("human", "q"), ("gpt", "a"))},
        "Assistant: hi\n\nUser: q\n\nAssistant:",
        "a",
    ),
    "ShareGPT as OpenAI": ({"conversations": [USER, GPT]}, "q", "a"),
    "ShareGPT, no tools": ({"conversations": sharegpt(("human", "q"), ("gpt", "a")), "tools": "[]"}, "q", "a"),
    "conversation of pairs": ({"conversation": [{"human": f"q{k}", "assistant": f"a{k}"} for k in (1, 2)]},
                              DIALOGUE, "a2"),
    "conversation of texts": ({"conversation": ["q1", "a1", "q2", "a2"]}, DIALOGUE, "a2"),
    "a key that repeats the prompt": ({"prompt": "Is x? A or B", "completion": "A", "question": "Is x?",
                                       "options": ["A", "B"], "context": None}, "Is x? A or B", "A"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path, name):
    row, prompt, completion = LAYOUTS[name]
    assert read(tmp_path / "a.jsonl", row) == [(prompt, completion)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_in_parquet_where_every_record_has_all_columns(tmp_path, name):
    """A column that a record lacks is null in that record, and so is a missing key of a message."""
    row, prompt, completion = LAYOUTS[name]
    empty = {"instruction": None, "input": None, "output": None, "history": None, "question": None, "tag": None}
    pq.write_table(pa.Table.from_pylist([empty | row] * 3), tmp_path / "a.parquet")
    assert [(item.prompt, item.completion) for item in records(tmp_path / "a.parquet")] == [(prompt, completion)] * 3


ROWS = [LAYOUTS["Alpaca"][0], LAYOUTS["ShareGPT, several"][0], LAYOUTS["messages, system"][0]]


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".jsonl", "\ufeff" + "\r\n".join(map(json.dumps, ROWS)) + "\r\n"),
        (".json", json.dumps(ROWS, indent=2)),
        (".json", "\n".join(map(json.dumps, ROWS))),
        (".jsonl", json.dumps(ROWS)),
    ],
    ids=["jsonl", "json", "json of lines", "jsonl of a list"],
)
def test_files(tmp_path, suffix, text, packing):
    pack = {"": bytes, ".gz": gzip.compress, ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True)}
    path = tmp_path / f"a{suffix}{packing}"
    path.write_bytes(pack[packing](text.encode()))
    assert [item.completion for item in records(path)] == ["chien", "a2", "a"]


# A record that cannot be one: the reason it is counted under.
DROPS = {
    "empty prompt": {"prompt": " ", "completion": "c"},
    "empty prompt: null": {"prompt": None, "completion": "c"},
    "empty prompt: Alpaca": {"instruction": "", "input": "", "output": "o"},
    "empty prompt: only a system": {"prompt": "", "completion": "c", "system": "s"},
    "empty completion": {"instruction": "i", "input": "", "output": ""},
    "empty completion: null": {"inputs": "i", "targets": None},
    "empty completion: messages": {"messages": openai(("user", "q"), ("assistant", " "))},
    "unpaired surrogate": {"prompt": "\ud800", "completion": "c"},
    "no turn of the assistant": {"messages": [USER]},
    "no turn of the assistant: none": {"messages": []},
    "a turn of an unknown role": {"messages": openai(("alien", "q"), ("assistant", "a"))},
    "a turn without a role": {"messages": [{"content": "q"}, GPT]},
    "a turn without text": {"messages": [{"role": "user", "content": None}, GPT]},
    "a turn that is not text": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, GPT]},
    "a turn that calls a tool": {"messages": [USER, GPT | {"tool_calls": [{"id": 1}]}, GPT]},
    "a turn that calls a tool: ShareGPT": {
        "conversations": sharegpt(("human", "q"), ("function_call", "f()"), ("gpt", "a"))
    },
}


@pytest.mark.parametrize("name", DROPS)
def test_drops_are_counted_under_a_reason_with_their_place(tmp_path, name):
    notes = Notes()
    assert read(tmp_path / "a.jsonl", {"prompt": "p", "completion": "c"}, DROPS[name], notes=notes) == [("p", "c")]
    reason = name.partition(":")[0]
    assert notes.dropped == {reason: 1}
    assert notes.first == {reason: "a.jsonl:2"}


PARTS = "question query context_ passage document history_ premise hypothesis sentence1 choices tools image Question"


@pytest.mark.parametrize("key", [key for key in PARTS.split() if not key.endswith("_")])
@pytest.mark.parametrize("value", ["something", ["something"], [{"title": "t", "text": "something"}]], ids=repr)
@pytest.mark.parametrize("row", [ROWS[0], ROWS[2], {"prompt": "p", "completion": "c"}], ids=["Alpaca", "chat", "pair"])
def test_a_key_that_may_be_a_part_of_the_prompt_is_refused_by_name(tmp_path, key, value, row):
    with pytest.raises(InputError, match=rf"a\.jsonl:2: '{key}' may hold a part of the prompt") as caught:
        read(tmp_path / "a.jsonl", row, row | {key: value})
    assert "\n" not in str(caught.value)
    pq.write_table(pa.Table.from_pylist([row | {key: value}]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=rf"row 1: '{key}' may hold a part of the prompt"):
        list(records(tmp_path / "a.parquet"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"instruction": "i", "input": "x"}, "keys instruction, input; wanted prompt and completion"),
        ({"question": "q", "answer": "a"}, "keys question, answer; wanted"),
        ({}, "keys none; wanted"),
        ({"instruction": "i", "input": {"a": 1}, "output": "o"}, "input is dict, wanted a text"),
        ({"prompt": 5, "completion": "c"}, "prompt is int, wanted a text"),
        ({"prompt": "p", "completion": ["c"]}, "completion is list, wanted a text"),
        ({"prompt": "p", "completion": "c", "context": 5}, "context is int, wanted a text"),
        ({"prompt": "p", "completion": "c", "history": 5}, "history is int, wanted a list of turns"),
        ({"messages": "q"}, "messages is str, wanted a list of turns"),
        ({"messages": [5]}, "messages: turn 1 is int, wanted a message"),
    ],
)
def test_wrong_records(tmp_path, row, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.jsonl", row)
    assert f"a.jsonl:1: {message}" in str(caught.value)


def test_keys_that_are_not_read_are_counted(tmp_path):
    notes = Notes()
    row = {"prompt": "p", "completion": "c", "id": 3, "tag": "x", "question": "p", "empty": None}
    chat = {"messages": [USER | {"name": "al"}, GPT, USER], "tag": "x"}
    read(tmp_path / "a.jsonl", row, chat, row | {"license": "MIT"}, notes=notes)
    expected = {"tag": 3, "license": 1, "question": 2, "messages[].name": 1, "(turns after the last answer)": 1}
    assert notes.ignored == expected
    pq.write_table(pa.Table.from_pylist([row, row]), tmp_path / "a.parquet")
    notes = Notes()
    assert [item.id for item in records(tmp_path / "a.parquet", notes)] == ["3", "3"]
    assert notes.ignored["tag"] == 2


def test_ever_new_keys_do_not_fill_the_memory(tmp_path):
    notes = Notes()
    read(tmp_path / "a.jsonl", *({"prompt": "p", "completion": "c", f"k{k}": 1} for k in range(1000)), notes=notes)
    assert sum(notes.ignored.values()) == 1000
    assert len(notes.ignored) <= 201


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
TURNS = st.lists(st.tuples(st.sampled_from(["user", "assistant", "system", "tool"]), TEXT), max_size=6)


@given(TURNS, TEXT)
def test_every_turn_is_in_the_prompt_in_order(tmp_path_factory, turns, answer):
    path = tmp_path_factory.mktemp("law") / "a.jsonl"
    turns = [("user", "first"), *turns]
    ((prompt, completion),) = read(path, {"messages": openai(*turns, ("assistant", answer))})
    assert completion == answer
    at = 0
    for _, text in turns:
        at = prompt.index(text, at) + len(text)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
READ = ["messages", "conversations", "history", "prompt", "context", "system", "input", "question"]


@given(VALUES, st.sampled_from(READ))
def test_no_value_is_a_traceback(tmp_path_factory, value, key):
    path = tmp_path_factory.mktemp("law") / "a.jsonl"
    path.write_text(json.dumps({"instruction": "i", "output": "o", "completion": "c", key: value}))
    with contextlib.suppress(InputError):
        list(records(path))


def test_a_shard_of_a_held_out_split_is_a_leak_by_itself(tmp_path):
    path = tmp_path / "test-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist([{"prompt": "p", "completion": "c"}]), path)
    assert heldout(path) == ["test"]
    with pytest.raises(LeakError, match="test split"):
        mix(Mixture.model_validate({"sources": [{"name": "a", "path": str(path)}]}), tmp_path / "mix")


def test_the_terminal_shows_each_reason_and_the_ignored_keys(tmp_path, capsys, monkeypatch):
    alpaca = {"instruction": "i", "input": "", "output": "o", "source": "s", "tag": "x"}
    rows = [alpaca, alpaca, alpaca | {"output": ""}, {"messages": [USER]}, alpaca | {"instruction": "j"}]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "m.yaml").write_text("sources: [{name: a, path: a.json}]")
    monkeypatch.setattr("sys.argv", ["symtune", "mix", str(tmp_path / "m.yaml"), "--out", str(tmp_path / "mix")])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    shown = capsys.readouterr().out
    for line in (
        "a: dropped 1: duplicate (the first: a.json:2)",
        "a: dropped 1: empty completion (the first: a.json:3)",
        "a: dropped 1: no turn of the assistant (the first: a.json:4)",
        "a: ignored keys (records): source (3), tag (3)",
    ):
        assert line in shown.splitlines()
    share = read_manifest(tmp_path / "mix", "mix")["shares"][0]
    assert share["dropped"] == {"duplicate": 1, "empty completion": 1, "no turn of the assistant": 1}
    assert share["ignored"] == {"source": 3, "tag": 3}
    assert "ignored keys (records): source (3), tag (3)." in (tmp_path / "mix" / "README.md").read_text()
