"""Fetching releases: from a local server, completely or not at all; and the message if nothing can be fetched."""

from __future__ import annotations

import io
import tarfile
import threading
import urllib.error
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from official_releases import mmlu_release
from symtune import benchmarks, cli
from symtune.fetching import SOURCES, Source, archives, fetch
from symtune.output import read_manifest
from symtune.types import InputError, OutputError, UnknownName
from test_benchmarks import gsm8k_release, wtq_release


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder without logging; a file called `short` is cut off."""

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.endswith("short"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which its files are served."""
    folder = tmp_path / "served"
    folder.mkdir()
    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Official sizes for our tiny releases."""
    for name, published in (("gsm8k", {"train": 3, "test": 3}), ("mmlu", {"validation": 3, "test": 3})):
        monkeypatch.setattr(type(benchmarks.find(name)), "published", published)
    monkeypatch.setattr(type(benchmarks.find("wikitablequestions")), "published", {"validation": 3})


def gsm8k_source(address: str) -> Source:
    return replace(
        SOURCES["gsm8k"], files={f"{split}.jsonl": f"{address}/{split}.jsonl" for split in ("train", "test")}
    )


def packed(folder: Path, kind: str, top: str) -> bytes:
    """The files of a folder as an archive, under the folder `top`."""
    buffer = io.BytesIO()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in files:
                archive.write(path, f"{top}{path.relative_to(folder)}")
    else:
        with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as archive:
            for path in files:
                archive.add(path, f"{top}{path.relative_to(folder)}")
    return buffer.getvalue()


def test_files_are_fetched_counted_and_described(server: tuple[Path, str], sizes: None, tmp_path: Path) -> None:
    folder, address = server
    gsm8k_release(folder / "g")
    out, told = tmp_path / "out", []
    sources = {"gsm8k": gsm8k_source(f"{address}/g")}
    assert fetch("gsm8k", out, sources=sources, progress=lambda *of: told.append(of)) == {"train": 3, "test": 3}
    assert told == [(0, 2), (1, 2)]
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "test.jsonl", "train.jsonl"]
    assert (out / "test.jsonl").read_bytes() == (folder / "g/test.jsonl").read_bytes()
    manifest = read_manifest(out, "data fetch")
    assert manifest["addresses"] == [f"{address}/g/train.jsonl", f"{address}/g/test.jsonl"]
    assert set(manifest["sha256"]) == {"train.jsonl", "test.jsonl"}
    assert len(benchmarks.find("gsm8k").load(out, "test")) == 3
    with pytest.raises(OutputError, match="exists already"):
        fetch("gsm8k", out, sources=sources)
    assert fetch("gsm8k", out, sources=sources, overwrite=True)


@pytest.mark.parametrize("kind", ["zip", "", "bz2", "gz"])
def test_of_an_archive_only_the_release_is_kept(
    server: tuple[Path, str], sizes: None, tmp_path: Path, kind: str
) -> None:
    folder, address = server
    release = mmlu_release(tmp_path / "r")
    (release / "data/auxiliary_train").mkdir()
    (release / "data/auxiliary_train/x.csv").write_text("x")
    (folder / "archive").write_bytes(packed(release, kind, "Release 1.0/"))
    source = replace(SOURCES["mmlu"], archive=f"{address}/archive", inside="Release 1.0")
    assert fetch("mmlu", tmp_path / "out", sources={"mmlu": source}) == {"validation": 3, "test": 3}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["data", "manifest.json"]
    assert sorted(path.name for path in (tmp_path / "out/data").iterdir()) == ["dev", "test", "val"]


def test_a_table_benchmark_is_read_as_it_is_fetched(server: tuple[Path, str], sizes: None, tmp_path: Path) -> None:
    folder, address = server
    (folder / "archive").write_bytes(packed(wtq_release(tmp_path / "r"), "zip", "WikiTableQuestions/"))
    source = replace(SOURCES["wikitablequestions"], archive=f"{address}/archive")
    assert fetch("wikitablequestions", tmp_path / "out", sources={"wikitablequestions": source}) == {"validation": 3}


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("absent", r"gsm8k: .*/absent/train\.jsonl cannot be downloaded: HTTP 404 "),
        ("short", r"/short broke off after 2 of 100 bytes"),
        ("g", r"gsm8k: split train has 3 questions, the official one has 7,473"),
    ],
)
def test_what_cannot_be_had_whole_leaves_nothing(
    server: tuple[Path, str], tmp_path: Path, path: str, fault: str
) -> None:
    folder, address = server
    gsm8k_release(folder / "g")
    source = gsm8k_source(f"{address}/{path}")
    if path == "short":
        source = replace(source, files={"train.jsonl": f"{address}/short"})
    with pytest.raises(InputError, match=fault) as raised:
        fetch("gsm8k", tmp_path / "out", sources={"gsm8k": source})
    assert str(raised.value).endswith(f"put the release into {tmp_path / 'out'} yourself: train.jsonl and test.jsonl")
    assert [found.name for found in tmp_path.iterdir()] == ["served"]


def test_offline_one_line_says_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(*args: object, **named: object) -> None:
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr("sys.argv", ["symtune", "data", "fetch", "bbh", "--out", str(tmp_path / "bbh")])
    with pytest.raises(SystemExit) as left:
        cli.main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.count("\n") == 1
    for part in ("cannot be reached: Name or service not known", str(tmp_path / "bbh"), "bbh/TASK.json"):
        assert part in said


@pytest.mark.parametrize("name", ["../out.csv", "/out.csv", "data/../../out.csv", "..\\out.csv"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_writes_nothing_outside_its_folder(tmp_path: Path, name: str, kind: str) -> None:
    archive, folder = tmp_path / "a", tmp_path / "folder"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packing:
            packing.writestr(name, "x")
    else:
        with tarfile.open(archive, "w") as tar:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(InputError, match="leads out of its folder"):
        archives.unpack(archive, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_links_and_bombs_and_broken_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, folder = tmp_path / "a", tmp_path / "folder"
    with tarfile.open(archive, "w") as tar:
        link = tarfile.TarInfo("data/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(InputError, match="contains no files below data/"):
        archives.unpack(archive, folder, keep=("data/",))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packing:
        packing.writestr("data/x", b"0" * 100_000)
    monkeypatch.setattr(archives, "LARGEST", 50_000)
    with pytest.raises(InputError, match="unpacks to more than 50,000 bytes"):
        archives.unpack(archive, folder)
    for content in (b"", b"no archive", archive.read_bytes()[:-30]):
        archive.write_bytes(content)
        with pytest.raises(InputError, match="not a whole zip or tar archive"):
            archives.unpack(archive, folder)


def test_every_benchmark_with_a_release_has_a_source() -> None:
    assert set(benchmarks.names()) - {"held_out"} <= set(SOURCES)
    for source in SOURCES.values():
        assert source.addresses
        assert all(address.startswith("https://") for address in source.addresses)
    with pytest.raises(UnknownName, match="Did you mean 'gsm8k'"):
        fetch("gsmk8", Path("out"))


def test_data_list_names_every_release(capsys: pytest.CaptureFixture[str]) -> None:
    cli.build()(["data", "list"], standalone_mode=False)
    said = capsys.readouterr().out
    assert all(name in said and source.layout in said for name, source in SOURCES.items())
