"""What someone who waits is told: an occasional line in a log, and no more than that."""

from __future__ import annotations

import io

from rich.console import Console

from symtune import progress
from symtune.progress import LOG_EVERY, Log, clock, progress_bar


def test_a_log_has_a_line_now_and_then():
    now, out = [0.0], io.StringIO()
    log = Log(Console(file=out), lambda: now[0])
    for second in range(0, 100, 5):
        now[0] = float(second)
        log.say(lambda passed: f"{passed:.0f} s")
    assert out.getvalue().split("\n") == ["30 s", "60 s", "90 s", ""]
    terminal = io.StringIO()
    Log(Console(file=terminal, force_terminal=True), lambda: 2 * LOG_EVERY).say(lambda passed: "never")
    assert terminal.getvalue() == ""


def test_the_lines_say_how_far_it_has_come(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_EVERY", 0.0)
    with progress_bar("answers", 40) as tell:
        tell(10, 40)
        tell(3, None)
    said = capsys.readouterr().err.split("\n")
    assert said[0].startswith("answers: 10 of 40 (25%), 0:00 passed, about 0:0")
    assert said[1] == "answers: 3, 0:00 passed"


def test_the_clock():
    assert [clock(seconds) for seconds in (0, 59.6, 754, 3723)] == ["0:00", "1:00", "12:34", "1:02:03"]
