"""`ruleng alerts`: the embedded store, listed, filtered and followed."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.conftest import COMMAND, Ruleng, environment
from tests.cli.terminal import on_a_terminal


@pytest.fixture
def store(ruleng: Ruleng, log: Path, rules: Path, tmp_path: Path) -> Path:
    path = tmp_path / "alerts.db"
    assert ruleng("replay", "-q", "-r", rules, "-s", f"sqlite:{path}", log).status == 0
    return path


def test_alerts_are_listed_with_the_newest_last(ruleng: Ruleng, store: Path) -> None:
    result = ruleng("alerts", store)
    assert (result.status, result.err) == (0, "")
    assert result.said == samples.SAID


FILTERS = [
    (["--rule", "Sh*"], [0, 2]),
    (["--rule", "shadow read"], []),
    (["--priority", "warning"], [0, 2]),
    (["--priority", "notice"], [0, 1, 2]),
    (["--tag", "network"], [1]),
    (["--tag", "attack.*"], [0, 2]),
    (["--since", "2023-11-14T22:13:20.104+00:00"], [1, 2]),
    (["--until", "2023-11-14T22:13:20.104+00:00"], [0]),
    (["--since", "1h"], []),
    (["--until", "1h"], [0, 1, 2]),
    (["--since", "999999999d"], [0, 1, 2]),
    (["--pid", "4714"], [2]),
    (["-n", "1"], [2]),
    (["-n", "0"], [0, 1, 2]),
    (["--rule", "Sh*", "-n", "1"], [2]),
    (["--container", "nothing"], []),
]


@pytest.mark.parametrize(("arguments", "which"), FILTERS, ids=[" ".join(arguments) for arguments, _ in FILTERS])
def test_alerts_are_filtered(ruleng: Ruleng, store: Path, arguments: list[str], which: list[int]) -> None:
    result = ruleng("alerts", store, *arguments)
    assert (result.status, result.said) == (0, [samples.SAID[number] for number in which])


def test_what_is_stored_is_what_json_lines_hold(ruleng: Ruleng, log: Path, rules: Path, tmp_path: Path) -> None:
    lines, path = tmp_path / "alerts.jsonl", tmp_path / "both.db"
    ruleng("replay", "-r", rules, "-s", f"sqlite:{path}", "-s", f"jsonl:{lines}", log)
    assert ruleng("alerts", path, "--json").out == lines.read_text()


def test_a_follower_sees_what_comes_until_it_is_told_to_end(
    ruleng: Ruleng, store: Path, log: Path, rules: Path, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [*COMMAND, "alerts", "--follow", "-n", "1", store], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as follower:
        assert follower.stdout is not None
        first = follower.stdout.readline()
        log.write_text(samples.executed(300, "nc", "late"))
        assert ruleng("replay", "-q", "-r", rules, "-s", f"sqlite:{store}", log).status == 0
        second = follower.stdout.readline()
        follower.send_signal(2)
        rest, told = follower.communicate(timeout=30)
    assert b"/etc/shadow read by cat (4714)" in first
    assert b"listens: nc late" in second
    assert (follower.returncode, rest, told) == (130, b"", b"")


@pytest.mark.parametrize("what", ["nothing", "text", "another database", "folder"])
def test_what_is_no_store_is_one_line(ruleng: Ruleng, tmp_path: Path, what: str) -> None:
    path = tmp_path / "alerts.db"
    match what:
        case "text":
            path.write_text("rule: none\n" * 1000)
        case "another database":
            with sqlite3.connect(path) as database:
                database.execute("CREATE TABLE alerts (id)")
            database.close()
        case "folder":
            path.mkdir()
    result = ruleng("alerts", path)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"ruleng alerts: {path}: ")
    assert "Traceback" not in result.err


def test_an_alert_on_a_terminal_is_text_for_people(store: Path) -> None:
    seen = on_a_terminal("alerts", store, NO_COLOR="1")
    assert "Shadow read" in seen
    assert "/etc/shadow read by cat (4714)" in seen
    assert not seen.lstrip().startswith("{")
