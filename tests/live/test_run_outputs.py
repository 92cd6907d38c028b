"""A disk that is full while `ruleng run` watches: nobody else waits, and nothing is lost once there is room again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.running import running, until
from tests.live.test_run import opening, read

pytestmark = pytest.mark.live

ALERTS = 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def count(path: Path) -> int:
    return len(path.read_bytes().split(b"\n")) - 1 if path.exists() else 0


@pytest.mark.parametrize("frees", [True, False], ids=["room comes", "no room comes"])
def test_a_full_disk_holds_up_only_its_own_sink(tmp_path: Path, small_disk: Path, frees: bool) -> None:
    marker, rules = tmp_path / "marker", tmp_path / "marker.rules"
    marker.touch()
    rules.write_text(opening(marker))
    full, good = small_disk / "alerts.jsonl", tmp_path / "good.jsonl"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(40_000))
    sinks = [f"jsonl:{full}?name=full", f"jsonl:{good}?name=good"]
    with running(tmp_path, "-r", rules, sinks=sinks) as run:
        read(marker, times=ALERTS)
        until(lambda: count(good) == ALERTS, "all alerts in the other sink")
        run.wait_told("ruleng: full: ")
        assert "No space left on device" in run.told
        if frees:
            subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
            until(lambda: count(full) == ALERTS, "all alerts in the sink that was full")
        taken = count(full)
        assert run.end() == 0
    assert run.told.count("No space left on device") == 1
    assert [json.loads(line)["rule"] for line in full.read_bytes().split(b"\n")[:taken]] == ["Marker"] * taken
    if frees:
        assert "ruleng: full: works again after " in run.told
        assert "nothing was lost" in run.told
    else:
        assert taken < ALERTS
        assert f"lost: {ALERTS - taken}" in run.told
