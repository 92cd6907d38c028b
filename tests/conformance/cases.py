"""What running one case gave, and the reviewed list of cases in which ruleng differs from Falco on purpose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEVIATIONS = Path(__file__).with_name("deviations.toml")


@dataclass(frozen=True, slots=True)
class Result:
    """`key` names the case for a reader and for deviations (its condition, id or test); `problem` is None when it passed."""

    key: str
    problem: str | None = None


Runner = Callable[[Any], Iterable[Result]]
"""Takes a parsed JSON file, yields one result a case."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """An improvement, or a thing left out, with its reason; holds for the cases of `file` whose key or problem matches."""

    file: str
    pattern: re.Pattern[str]
    kind: str  # improvement or left-out
    reason: str

    def covers(self, file: str, result: Result) -> bool:
        return self.file == file and bool(self.pattern.search(result.key) or self.pattern.search(result.problem or ""))


def deviations(path: Path = DEVIATIONS) -> tuple[Deviation, ...]:
    rows = tomllib.loads(path.read_text())["deviation"]
    return tuple(Deviation(row["file"], re.compile(row["pattern"]), row["kind"], row["reason"]) for row in rows)


@dataclass(frozen=True, slots=True)
class Tally:
    file: str
    passed: int
    failed: tuple[Result, ...]
    deviating: tuple[Result, ...]

    def __str__(self) -> str:
        return f"{self.file:34} {self.passed:5} passed {len(self.failed):4} failed {len(self.deviating):4} deviations"


def tally(file: str, results: Iterable[Result], known: tuple[Deviation, ...]) -> Tally:
    passed, failed, deviating = 0, [], []
    for result in results:
        if result.problem is None:
            passed += 1
        elif any(deviation.covers(file, result) for deviation in known):
            deviating.append(result)
        else:
            failed.append(result)
    return Tally(file, passed, tuple(failed), tuple(deviating))


def run_folder(folder: Path, runners: dict[str, Runner], load: Callable[[Path], Any]) -> Iterator[Tally]:
    """One tally for each file of the folder that a runner knows, by file name."""
    known = deviations()
    for name, runner in runners.items():
        path = folder / name
        if path.exists():
            yield tally(name, runner(load(path)), known)
