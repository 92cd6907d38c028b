"""`ruleng check`: what is wrong with rule files, and what each rule needs."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ruleng.engine.ruleset import RuleSet
    from ruleng.lang.load import Loaded

DESCRIPTION = """\
Check rule files: every mistake with its place, all at once; warnings for rules that can never match or do something other than
they seem to. Nothing is run. Exit status 1 when there are errors."""

EXAMPLES = """\
  ruleng check falco_rules.yaml local.yaml       in the order in which they load
  ruleng check --explain R0203                   what a code means, and what to do
  ruleng check --source audit rules/             which rules that source cannot feed
  ruleng check --needs rules/                    event types, fields and cost of each rule
  ruleng check --format sarif rules/ > r.sarif   for code scanning"""


def configure(parser: argparse.ArgumentParser) -> None:
    from ruleng.cli.options import add_config, add_rules

    parser.add_argument("paths", nargs="*", metavar="PATH", help="rule files and folders (default: the rules that ship)")
    add_rules(parser)
    add_config(parser)
    parser.add_argument(
        "--source", action="append", default=[], metavar="NAME", help="warn of what this source cannot fill (audit, perf, bpf)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format", choices=("text", "json", "sarif", "falco"), default="text", help="text (default), json lines, sarif, falco"
    )
    form.add_argument(
        "--needs", action="store_true", help="list what each rule needs, dearest first; mistakes go to standard error"
    )
    form.add_argument("--python", action="store_true", help="print the Python that the rules compile to; likewise")
    form.add_argument("--explain", metavar="CODE", help="explain a diagnostic's code, and end")


def run(args: argparse.Namespace) -> int:
    if args.explain:
        print(_explained(args.explain))
        return 0
    from ruleng.cli.options import settings
    from ruleng.pipeline import rules, sources

    args.rules = [*args.rules, *args.paths]
    wanted = settings(args)
    loaded = rules.load(wanted, reach=sources.reach_of(args.source) if args.source else None)
    if args.needs or args.python:
        from ruleng.cli.console import Console

        Console().show(loaded.diagnostics)
    else:
        sys.stdout.write(_report(loaded, args.format, wanted.rule_paths()))
    if any(diagnostic.is_error for diagnostic in loaded.diagnostics):
        return 1
    if args.needs or args.python:
        ruleset = rules.compiled(loaded, wanted).ruleset
        sys.stdout.write(ruleset.source if args.python else _needs(ruleset))
    return 0


def _report(loaded: Loaded, form: str, paths: list[str]) -> str:
    from pathlib import Path

    from ruleng.cli.console import wants_colour
    from ruleng.lang import report

    found = loaded.diagnostics
    match form:
        case "json":
            return _whole_lines(report.render_json(found))
        case "sarif":
            return _whole_lines(report.render_sarif(found))
        case "falco":
            return _whole_lines(report.render_falco(found, [path for path in paths if not Path(path).is_dir()]))
        case _:
            errors = sum(diagnostic.is_error for diagnostic in found)
            enabled = sum(rule.enabled for rule in loaded.rules)
            counts = f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}"
            text = report.render_text(found, colour=wants_colour(sys.stdout)) + "\n\n" if found else ""
            return f"{text}{_count(len(loaded.rules), 'rule')}, {enabled} enabled: {counts}\n"


def _needs(ruleset: RuleSet) -> str:
    pairs = sorted(zip(ruleset.rules, ruleset.needs, strict=True), key=lambda pair: -pair[1].cost)
    return "".join(
        f"{rule.name}  (cost {need.cost:.0f})\n"
        f"    events: {' '.join(sorted(need.event_types)) or 'none'}\n"
        f"    fields: {' '.join(sorted(need.fields)) or 'none'}\n"
        for rule, need in pairs
    )


def _explained(code: str) -> str:
    from ruleng.lang.mistakes import codes, explain

    explanation = explain(code)
    if explanation is None:
        import difflib

        from ruleng.errors import UsageError

        near = difflib.get_close_matches(code.upper(), codes(), 3, cutoff=0.7)
        raise UsageError(
            f"there is no code {code}", hint=f"did you mean {' or '.join(near)}?" if near else "see docs/diagnostics.md"
        )
    return f"{code.upper()}: {explanation.title}\n\n{explanation.text}"


def _whole_lines(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
