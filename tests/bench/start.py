"""How soon ruleng is there: `--help`, and from process start to ready with Falco's stable and incubating rules.

Whole processes, from outside: wall time, median of several. Ready means that the first event would be decided: measured as a
replay of an empty log, from start to end.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RULES = Path(__file__).resolve().parents[3] / "shared" / "falco-rules"


def seconds(arguments: Sequence[str], runs: int = 7) -> float:
    """Median wall time of `python -m ruleng ARGUMENTS`, after one run that compiles the modules."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ruleng", *arguments], env=environment, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main() -> None:
    python = min(_python() for _ in range(5))
    with tempfile.NamedTemporaryFile(suffix=".log") as empty:
        _measure(python, empty.name)


def _measure(python: float, empty: str) -> None:
    print(f"python -c pass       {python * 1000:6.0f} ms")
    print(f"ruleng --help        {seconds(['--help']) * 1000:6.0f} ms   (expected: under 150)")
    if RULES.is_dir():
        rules = [argument for path in sorted(RULES.glob("*.yaml")) for argument in ("-r", str(path))]
        ready = seconds(["replay", "-q", *rules, empty])
        print(f"start to ready       {ready * 1000:6.0f} ms   (expected: under 600) {len(rules) // 2} Falco files")
    print(f"the rules that ship  {seconds(['replay', '-q', empty]) * 1000:6.0f} ms")


def _python() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
