"""What `ruleng run` does to processes: only ones that the tests started for it, by a file that nobody else opens."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.running import DEADLINE_S, ROOT, Running, has_rules, running, until
from tests.live.test_run import opening

pytestmark = pytest.mark.live

KILL = "actions: [alert, kill]"


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    path = tmp_path / "marker"
    path.touch()
    return path


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """The journal lies with the test, and the fuse blows early."""
    path = tmp_path / "ruleng.toml"
    path.write_text(f'[guard]\njournal = "{tmp_path}/actions.jsonl"\nper_minute = 2\n')
    return path


@pytest.fixture
def rules(tmp_path: Path, marker: Path) -> Path:
    path = tmp_path / "kill.rules"
    path.write_text(opening(marker, name="Kill", more=KILL))
    return path


def journal(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "actions.jsonl").read_text().splitlines()]


@contextmanager
def sleeper(marker: Path) -> Iterator[subprocess.Popen[bytes]]:
    """It opens the marker once it is told to, and would then sleep for long."""
    with subprocess.Popen(["sh", "-c", f"read go; read x < {marker}; exec sleep 600"], stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def wake(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def is_asleep(process: subprocess.Popen[bytes]) -> bool:
    """It has opened the marker, and lives."""
    return Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n"


def died_ns(process: subprocess.Popen[bytes]) -> int:
    """When, in the time of events; waits for it."""
    descriptor = os.pidfd_open(process.pid)
    try:
        ready, _, _ = select.select([descriptor], [], [], DEADLINE_S)
        now_ns = time.time_ns()
    finally:
        os.close(descriptor)
    assert ready, "it was not killed"
    assert process.wait() == -signal.SIGKILL
    return now_ns


def outcomes(run: Running, count: int) -> list[dict[str, Any]]:
    return [alert["actions"][0] for alert in run.wait_alerts("Kill", count)]


def test_a_process_is_killed_that_opens_what_it_must_not(
    tmp_path: Path, rules: Path, marker: Path, configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path, "-c", configuration, "-r", rules) as run, sleeper(marker) as process:
        started_ns = time.time_ns()
        wake(process)
        ended_ns = died_ns(process)
        (outcome,) = outcomes(run, 1)
    with capsys.disabled():
        print(f" killed {(ended_ns - started_ns) / 1e6:.1f} ms after it was told to open", end="")
    assert (outcome["action"], outcome["outcome"], outcome["target"]) == ("kill", "done", f"pid {process.pid} (sh)")
    assert [(entry["phase"], entry["pid"]) for entry in journal(tmp_path)] == [
        ("intent", process.pid),
        ("outcome", process.pid),
    ]
    assert "actions: kill done 1" in run.told


def test_a_dry_run_says_what_it_would_do_and_leaves_it_alive(
    tmp_path: Path, rules: Path, marker: Path, configuration: Path
) -> None:
    with running(tmp_path, "-c", configuration, "-r", rules, "--dry-run") as run, sleeper(marker) as process:
        wake(process)
        (outcome,) = outcomes(run, 1)
        assert run.end() == 0
        assert process.poll() is None
    assert (outcome["action"], outcome["outcome"]) == ("kill", "dry-run")


def test_an_unmodified_falco_rule_kills_when_the_configuration_binds_it(tmp_path: Path, marker: Path, configuration: Path) -> None:
    falco = tmp_path / "falco.yaml"
    falco.write_text(
        f"- rule: Kill\n  desc: opens the marker\n  condition: evt.type in (open, openat) and fd.name = {marker}\n"
        "  output: marker %proc.name\n  priority: WARNING\n"
    )
    with configuration.open("a") as file:
        file.write('[[action]]\nrule = "Kill"\ndo = ["alert", "kill(signal=SIGKILL, scope=tree)"]\n')
    with running(tmp_path, "-c", configuration, "-r", falco) as run, sleeper(marker) as process:
        wake(process)
        died_ns(process)
        (outcome,) = outcomes(run, 1)
    assert outcome["outcome"] == "done"


def test_what_runs_ruleng_is_never_killed(tmp_path: Path, rules: Path, marker: Path, configuration: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    script = f'"$@" & read x < {go}; read x < {marker}; wait $!; echo parent lives on >{tmp_path}/lives'
    shell = ("bash", "-c", script, "shell")
    run = Running(tmp_path, "-c", configuration, "-r", rules, "--duration", "120s", wrapped=shell)
    try:
        run.wait_ready()
        go.write_text("go\n")  # its parent opens the marker
        (outcome,) = outcomes(run, 1)
        assert run.process.poll() is None
    finally:
        (child,) = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        run.process.wait(DEADLINE_S)
    assert (outcome["outcome"], outcome["target"]) == ("refused", f"pid {run.pid} (bash)")
    assert outcome["error"] == "it is ruleng itself, or what runs ruleng"
    assert (tmp_path / "lives").exists()
    assert not has_rules(int(child))


def test_too_many_kills_a_minute_blow_the_fuse_until_somebody_reloads(
    tmp_path: Path, rules: Path, marker: Path, configuration: Path
) -> None:
    with running(tmp_path, "-c", configuration, "-r", rules) as run:
        for _ in range(2):
            with sleeper(marker) as process:
                wake(process)
                died_ns(process)
        with sleeper(marker) as process:
            wake(process)
            assert [outcome["outcome"] for outcome in outcomes(run, 3)] == ["done", "done", "refused"]
            until(lambda: is_asleep(process), "it sleeps")
        run.wait_told("more than 2 destructive actions in a minute: the fuse has blown")
        run.send(signal.SIGHUP)
        run.wait_told("reloaded: 1 rules")
        with sleeper(marker) as process:
            wake(process)
            died_ns(process)
        assert outcomes(run, 4)[3]["outcome"] == "done"
    assert run.told.count("the fuse has blown") == 1


def test_a_journal_that_cannot_be_written_keeps_rules_that_kill_from_starting(tmp_path: Path, rules: Path, marker: Path) -> None:
    toml = tmp_path / "ruleng.toml"
    toml.write_text(f'[guard]\njournal = "{marker}/actions.jsonl"\n')
    done = subprocess.run(
        [sys.executable, "-m", "ruleng", "run", "--source", "audit", "-c", toml, "-r", rules],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(
        f"ruleng run: rules want to act, and {marker}/actions.jsonl: the action log cannot be opened: Not a directory\n"
    )


def test_a_reload_that_begins_to_kill_needs_its_journal(tmp_path: Path, rules: Path, marker: Path) -> None:
    toml = tmp_path / "ruleng.toml"
    toml.write_text(f'[guard]\njournal = "{marker}/actions.jsonl"\n')
    killing = rules.read_text()
    rules.write_text(opening(marker, name="Kill"))
    with running(tmp_path, "-c", toml, "-r", rules) as run, sleeper(marker) as process:
        rules.write_text(killing)
        run.send(signal.SIGHUP)
        run.wait_told("reload refused, the old rules stay: rules want to act, and")
        wake(process)
        (alert,) = run.wait_alerts("Kill")
        assert alert["actions"] == []
        until(lambda: is_asleep(process), "it sleeps")
