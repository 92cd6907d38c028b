"""`ruleng check`: what is wrong with rule files, and what each rule needs."""

from __future__ import annotations

import argparse
import sys

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
        "--format", choices=("text", "json", "sarif", "falco"), default="text", help="text (default), json lines, sarif, falco"
    )
    parser.add_argument(
        "--source", action="append", default=[], metavar="NAME", help="warn of what this source cannot fill (audit, perf, bpf)"
    )
    parser.add_argument("--needs", action="store_true", help="list what each rule needs, dearest first")
    parser.add_argument("--explain", metavar="CODE", help="explain a diagnostic's code, and end")
    parser.add_argument("--python", action="store_true", help="print the Python that the rules compile to")


def run(args: argparse.Namespace) -> int:
    if args.explain:
        return _explain(args.explain)
    from ruleng.cli.options import settings
    from ruleng.lang import report
    from ruleng.lang.reach import Reach
    from ruleng.pipeline import rules

    args.rules = [*args.rules, *args.paths]
    wanted = settings(args)
    reach = Reach(frozenset(args.source)) if args.source else None
    loaded = rules.load(wanted, reach=reach)
    errors = sum(diagnostic.is_error for diagnostic in loaded.diagnostics)
    match args.format:
        case "json":
            _print(report.render_json(loaded.diagnostics))
        case "sarif":
            _print(report.render_sarif(loaded.diagnostics))
        case "falco":
            _print(report.render_falco(loaded.diagnostics))
        case _:
            from ruleng.cli.console import wants_colour

            if loaded.diagnostics:
                print(report.render_text(loaded.diagnostics, colour=wants_colour(sys.stdout)))
            enabled = sum(rule.enabled for rule in loaded.rules)
            warnings = len(loaded.diagnostics) - errors
            print(f"{len(loaded.rules)} rules, {enabled} enabled: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    if not errors and (args.needs or args.python):
        _compiled(rules.bind(loaded.rules, wanted.config), needs=args.needs, python=args.python)
    return 1 if errors else 0


def _compiled(checked: tuple, *, needs: bool, python: bool) -> None:  # type: ignore[type-arg]  # of Rule, which only this path imports
    from ruleng.engine.compile import compile_rules
    from ruleng.fields.catalogue import standard

    ruleset = compile_rules(checked, standard())
    if python:
        print(ruleset.source)
    if needs:
        for rule, need in sorted(zip(ruleset.rules, ruleset.needs, strict=True), key=lambda pair: -pair[1].cost):
            print(f"{rule.name}  (cost {need.cost:.0f})")
            print(f"    events: {' '.join(sorted(need.event_types)) or 'none'}")
            print(f"    fields: {' '.join(sorted(need.fields))}")


def _explain(code: str) -> int:
    from ruleng.lang.mistakes import codes, explain

    explanation = explain(code)
    if explanation is None:
        print(f"ruleng check: there is no code {code}; there are {', '.join(codes())}", file=sys.stderr)
        return 2
    print(f"{code.upper()}: {explanation.title}\n\n{explanation.text}")
    return 0


def _print(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
