"""Fuzz one target for a time. A finding ends it with status 77 and leaves the input in the folder of findings."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,unused-ignore]  # an extra of CI, not of every developer

with atheris.instrument_imports(include=["ruleng"]):
    from tests.fuzz.targets import TARGETS, seeds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(args.target)):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        options = [f"-max_total_time={args.seconds}", "-max_len=8192", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
        atheris.Setup(
            [sys.argv[0], *options, f"-artifact_prefix={args.findings}/ruleng-{args.target}-", corpus], TARGETS[args.target]
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
