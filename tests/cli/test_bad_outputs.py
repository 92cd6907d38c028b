"""Sinks that cannot take alerts: each says so in one line, loses only its own, and keeps nobody else from theirs."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.conftest import Ruleng


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Bound, but nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A store that another connection keeps to itself."""
    path = tmp_path / "held.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    yield path
    holder.close()


def test_sinks_that_fail_lose_only_their_own_alerts_and_say_why(
    spawned: Ruleng, log: Path, rules: Path, tmp_path: Path, dead_port: int, held: Path
) -> None:
    good, url = tmp_path / "good.jsonl", f"http://127.0.0.1:{dead_port}/"
    result = spawned(
        *("replay", "-r", rules, log),
        *("-s", "jsonl:/proc/none/alerts.jsonl?name=unwritable"),
        *("-s", f"http:{url}?name=unused#name=dead"),
        *("-s", f"sqlite:{held}?name=held&busy=100ms"),
        *("-s", f"jsonl:{good}?name=good"),
    )
    assert result.status == 1
    assert [json.loads(line)["rule"] for line in good.read_text().splitlines()] == [rule for rule, _ in samples.SAID]
    told = [line for line in result.err.splitlines() if line.startswith("ruleng: ")]
    assert len([line for line in told if line.startswith("ruleng: unwritable: ")]) == 1
    assert len([line for line in told if line.startswith("ruleng: dead: ")]) == 1
    assert len([line for line in told if line.startswith("ruleng: held: ")]) == 1
    assert not [line for line in told if "good" in line]
    assert "3 alerts" in result.err
    assert "lost: 9" in result.err
    for name in ("unwritable", "dead", "held"):
        assert re.search(rf"^ +3  sink\.{name} +it had not taken them when the run ended", result.err, re.MULTILINE)


def test_losses_of_sinks_are_told_when_quiet(spawned: Ruleng, log: Path, rules: Path) -> None:
    result = spawned("replay", "-q", "-r", rules, "-s", "jsonl:/proc/none/alerts.jsonl", log)
    assert result.status == 1
    assert result.err.splitlines()[-1] == "ruleng: sink.jsonl: it had not taken them when the run ended: 3"
