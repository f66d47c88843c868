"""The reader of JSON and the reader of parquet: layouts, compression, encodings, and broken files."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.files import json_objects, json_values, open_bytes, parquet_columns, read_parquet
from symtune.types import InputError

ROWS = [{"text": 'Ω "x" [1], {}\r\n\\', "n": k, "inner": {"list": [1, [2.5], None]}} for k in range(3)]
LINES = [json.dumps(row) for row in ROWS]
LAYOUTS = {
    "lines": "\n".join(LINES) + "\n",
    "no last line feed": "\n".join(LINES),
    "CR LF": "\r\n".join(LINES) + "\r\n",
    "blank lines": "\n \n\n" + "\n\n".join(LINES) + "\n\n",
    "list on one line": json.dumps(ROWS),
    "list, an item a line": "\n[\n" + ",\n".join(LINES) + "\n]\n",
    "indented list": json.dumps(ROWS, indent=2),
    "indented list, CR LF": json.dumps(ROWS, indent=2).replace("\n", "\r\n"),
    "indented objects": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "last comma": "[" + ",".join(LINES) + ", ]",
}
PACKINGS = {
    "plain": lambda data: data,
    "gz": gzip.compress,
    "gz of two parts": lambda data: gzip.compress(data[:7], mtime=0) + gzip.compress(data[7:], mtime=0),
    "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
    "zst of two parts": lambda data: b"".join(
        pa.compress(part, codec="zstd", asbytes=True) for part in (data[:7], data[7:])
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_packing_and_encoding_gives_the_same_records(tmp_path, layout, packing, encoding):
    path = tmp_path / "any.name"
    path.write_bytes(PACKINGS[packing](LAYOUTS[layout].encode(encoding)))
    assert [entry.value for entry in json_objects(path)] == ROWS
    numbers = [entry.number for entry in json_objects(path)]
    assert numbers == sorted(set(numbers))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_what_is_written_is_read_back(tmp_path_factory, rows, indent, is_list):
    path = tmp_path_factory.mktemp("law") / "a.json"
    text = json.dumps(rows, indent=indent) if is_list else "\n".join(json.dumps(row, indent=indent) for row in rows)
    path.write_text(text)
    assert [entry.value for entry in json_values(path)] == rows


def test_where_a_record_stands(tmp_path):
    path = tmp_path / "a"
    path.write_text('\n{"a": 1}\n\n{"a": 2}\n')
    assert [(entry.where, entry.number) for entry in json_values(path)] == [(f"{path}:2", 2), (f"{path}:4", 4)]
    path.write_text('\n[{"a": 1},\n\n{"a":\n 2}, 3]\n')
    assert [(entry.where, entry.number) for entry in json_values(path)] == [
        (f"{path}: record 1", 1),
        (f"{path}: record 2", 2),
        (f"{path}: record 3", 3),
    ]


def test_files_joined_with_their_marks(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(2 * (b'\xef\xbb\xbf{"a": 1}\n'))
    assert [entry.value for entry in json_values(path)] == [{"a": 1}] * 2


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", b"[]", b"[\n]\n", gzip.compress(b"", mtime=0)])
def test_a_file_without_values_gives_none(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert list(json_values(tmp_path / "a")) == []


WRONG = {
    "not JSON": (b'{"a": 1}\n{"a": \n', ":2: not JSON: Expecting value"),
    "not JSON in the first line": (b'{"a" 1}\n', ":1: not JSON: Expecting ':'"),
    "two on a line": (b'{"a": 1}{"a": 2}\n', ":1: not JSON: Extra data"),
    "no object": (b'{"a": 1}\n"b"\n', ":2: got a JSON string, wanted an object"),
    "no object in a list": (b"[1]", ": record 1: got a JSON number"),
    "a list a line": (b'[{"a": 1}]\n[{"a": 1}]\n', ":1: more text after the list"),
    "an open list": (b'[{"a": 1},\n', ": record 2: the list does not end"),
    "an open item": (b'[{"a": 1},\n{"a": \n', ": record 2: not JSON: Expecting value (line 3)"),
    "no comma": (b'[{"a": 1}\n{"a": 2}]', ": record 1: not JSON: neither , nor ] after it (line 1)"),
    "an open object": (b'{\n"a": 1,\n', ":1: not JSON"),
    "a csv": (b"a,b\n1,2\n", ":1: not JSON"),
    "not UTF-8": (b'{"a": 1}\n{"a": "\xe9"}\n', ":2: not UTF-8: byte 0xe9 at 7"),
    "not UTF-8 in a list": (b'[{"a": "\xe9"}]\n', ": not UTF-8: byte 0xe9"),
    "half a character": (b'[{"a": "\xe2\x82', ": not UTF-8"),
    "half of UTF-16": ('[{"a": 1}]'.encode("utf-16")[:-1], ": not utf-16-le text"),
    "deep": (b'{"a": 1}\n' + b'{"a":' * 100_000 + b"\n", ":2: not JSON: nested too deeply"),
    "deep at once": (b'{"a":' * 100_000, ":1: not JSON: nested too deeply"),
    "deep list": (b"[" * 100_000, ": record 1: not JSON: nested too deeply"),
    "a number without end": (b'{"a": ' + b"1" * 9999 + b"}", ":1: not JSON: Exceeds the limit"),
    "a number without end in a list": (b"[" + b"1" * 9999 + b"]", ": record 1: not JSON: Exceeds the limit"),
    "a long line": (b'{"a": 1}\n{"a": "' + b"x" * 2000 + b'"}\n', ":2: a line of more than 1,000 bytes"),
    "a long item": (b'[{"a": "' + b"x" * 200_000 + b'"}]', ": record 1: no whole record in 1,000 characters"),
    "broken gz": (gzip.compress(b'{"a": 1}\n' * 99, mtime=0)[:-9], ": cannot be read"),
    "a gz in name": (b'{"a": 1}\n', ": cannot be read: not compressed, though its name says so"),
    "broken zst": (pa.compress(b'{"a": 1}\n' * 99, codec="zstd", asbytes=True)[:-9], ": cannot be read: Truncated"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_json(tmp_path, name):
    content, message = WRONG[name]
    path = tmp_path / ("a.json.gz" if "in name" in name else "a.json")
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(json_objects(path, longest=1_000_000 if name.startswith("deep") or "number" in name else 1000))
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    for read in (json_values, read_parquet):
        with pytest.raises(InputError, match=r"absent.*No such file"):
            list(read(tmp_path / "absent"))
    with pytest.raises(InputError, match="Is a directory"), open_bytes(tmp_path) as stream:
        stream.read()


@pytest.mark.parametrize(
    ("begin", "between"), [("", "\n"), ("[", ","), ("[", ",\n"), ("\n" * 2_000_000, "\n")], ids=repr
)
def test_memory_is_bounded(tmp_path, begin, between):
    path, item = tmp_path / "a", json.dumps({"a": "x" * 990})
    with path.open("w") as stream:
        stream.write(begin + item)
        for _ in range(10_000):  # 10 MB
            stream.write(between + item)
        stream.write("]" if "[" in begin else "")
    tracemalloc.start()
    count = sum(1 for _ in json_objects(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_001
    assert peak < 2_000_000


def test_parquet_rows(tmp_path):
    path = tmp_path / "a.parquet"
    rows = [{"id": str(k), "messages": [{"role": "user", "content": "x"}]} for k in range(3000)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert list(read_parquet(path)) == rows
    assert list(read_parquet(path, ["id"])) == [{"id": row["id"]} for row in rows]
    assert parquet_columns(path) == ["id", "messages"]
    with pytest.raises(InputError, match="no column 'idd', 'x'; it has id, messages"):
        list(read_parquet(path, ["id", "idd", "x"]))


def _with_a_broken_text(path):
    text = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xe9"))
    pq.write_table(pa.table({"a": text}), path)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PAR1nothing"),
        lambda path: path.mkdir(),
        _with_a_broken_text,
        lambda path: pq.write_table(pa.table({"a": pa.array([2**62], pa.timestamp("us"))}), path),
    ],
    ids=["empty", "broken", "a folder", "not UTF-8", "no date of this world"],
)
def test_wrong_parquet(tmp_path, write):
    write(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="not a readable parquet file") as caught:
        list(read_parquet(tmp_path / "a.parquet"))
    assert "\n" not in str(caught.value)
