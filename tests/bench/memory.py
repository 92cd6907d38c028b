"""Peak memory of a replay of a million events, fed through a pipe so that no disk is measured."""

from __future__ import annotations

import os
import subprocess
import sys

RECORDS = 3_900_000  # about a million events


def peak(records: int) -> tuple[int, float]:
    """(peak resident KB, CPU seconds) of `ruleng replay -` over a generated log of so many records."""
    generator = subprocess.Popen([sys.executable, "-m", "tests.bench.auditlog", str(records)], stdout=subprocess.PIPE)
    replay = subprocess.Popen(
        [sys.executable, "-m", "ruleng", "replay", "-q", "-s", "jsonl:/dev/null", "-"],
        stdin=generator.stdout,
        stderr=subprocess.DEVNULL,
    )
    assert generator.stdout is not None
    generator.stdout.close()
    _, _, usage = os.wait4(replay.pid, 0)
    generator.wait()
    return usage.ru_maxrss, usage.ru_utime + usage.ru_stime


def main() -> None:
    kilobytes, cpu_s = peak(RECORDS)
    print(f"replay of {RECORDS:,} audit records, a million events, {cpu_s:.1f} s of CPU")
    print(f"peak memory  {kilobytes / 1024:.0f} MB   (expected: under 80)")


if __name__ == "__main__":
    main()
