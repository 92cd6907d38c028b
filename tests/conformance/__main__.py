"""`python -m tests.conformance --data DIR [FILE...]`: a line a file: passed, failed, deviations. Exit 1 on a failure."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance.cases import Runner, run_folder

RUNNERS = {
    "filter_parser_cases.json": "parser",
    "filter_string_cases.json": "strings",
    "filter_eval_cases.json": "evaluate",
    "eval_truth_table.json": "truth",
    "evttype_index_cases.json": "index",
    "rule_loader_cases.json": "loader",
    "rule_loader_probe_cases.json": "probes",
    "official_rules_compiled.json": "official",
    "replay_cases.json": "replay",
    "fields_catalogue.json": "catalogue",
    "event_names.json": "names",
}
"""Which module of this package runs which file: its `run(data, folder)` yields a Result a case."""


def runner(module: str, folder: Path) -> Runner:
    def run(data: Any) -> Any:
        return importlib.import_module(f"tests.conformance.{module}").run(data, folder)

    return run


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a folder of case files")
    parser.add_argument("--failures", type=int, default=5, metavar="N", help="show the first N failures of a file (default 5)")
    parser.add_argument("files", nargs="*", metavar="FILE", help="only these files")
    args = parser.parse_args(argv)
    wanted = {name: runner(module, args.data) for name, module in RUNNERS.items() if not args.files or name in args.files}
    failed = 0
    for row in run_folder(args.data, wanted, lambda path: json.loads(path.read_bytes())):
        print(row)
        failed += len(row.failed)
        for result in row.failed[: args.failures]:
            print(f"    {result.key}\n        {result.problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
