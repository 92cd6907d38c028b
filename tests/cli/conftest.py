"""ruleng as a user starts it: in this process where that is the same, in one of its own where it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ruleng.cli import options
from ruleng.cli.main import main
from tests.cli import samples

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "ruleng"]


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def said(self) -> list[tuple[str, str]]:
        """Rule and message of the alerts on standard output."""
        return [(alert["rule"], alert["message"]) for alert in self.lines]


Ruleng = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_configuration_of_this_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(options, "DEFAULT_CONFIG", tmp_path / "no.toml")


@pytest.fixture
def ruleng(capfd: pytest.CaptureFixture[str]) -> Ruleng:
    """`ruleng(*arguments)` in this process."""

    def run(*arguments: str | Path) -> Result:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return Result(status, *capfd.readouterr())

    return run


def environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    return {**plain, "PYTHONPATH": str(ROOT), "TERM": "xterm", **more}


@pytest.fixture
def spawned() -> Ruleng:
    """`spawned(*arguments, input=b"")` in a process of its own, standard input and output being pipes."""

    def run(*arguments: str | Path, input: bytes | str = b"", env: Mapping[str, str] | None = None) -> Result:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            input=input.encode() if isinstance(input, str) else input,
            capture_output=True,
            env=env or environment(),
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The sample log, as a file."""
    path = tmp_path / "audit.log"
    path.write_text(samples.LOG)
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The sample rules, as a file."""
    path = tmp_path / "sample.rules"
    path.write_text(samples.RULES)
    return path
