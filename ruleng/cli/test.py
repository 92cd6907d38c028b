"""`ruleng test`: run the tests beside the rules."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
Run the tests beside rule files: NAME.test.yaml beside NAME.rules or NAME.yaml says which events must fire a rule and which
must not. A failure is explained. Exit status 1 when a case fails or a rule has errors."""

EXAMPLES = """\
  ruleng test                         the rules that ship
  ruleng test rules/                  every test of a folder
  ruleng test shell.rules -v          one file, naming each case
  ruleng test rules/ --strict         a rule without a firing and a silent case fails, too"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="rule files and folders (default: the rules that ship)")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every case, not only the failures")
    parser.add_argument("--strict", action="store_true", help="fail rules that lack a firing or a silent case")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from ruleng.cli.console import Console
    from ruleng.engine.explain import explain
    from ruleng.errors import InputError
    from ruleng.pipeline.rules import build
    from ruleng.pipeline.ruletests import judge, read_cases, rules_beside, test_files, untested
    from ruleng.pipeline.settings import Settings, shipped_rules

    paths = [rules_beside(Path(path)) for path in args.paths] or [shipped_rules()]
    ruled = build(Settings(rules=[str(path) for path in paths]))
    console = Console()
    console.show(ruled.warnings)
    files = test_files(paths)
    if not files:
        raise InputError(
            f"no tests beside {', '.join(map(str, paths))}",
            hint="a test of NAME.rules is NAME.test.yaml, see docs/writing-rules.md",
        )
    rules = {rule.name: rule for rule in ruled.ruleset.rules}
    cases = [case for path in files for case in read_cases(path)]
    failed = 0
    for verdict in judge(cases, rules):
        case = verdict.case
        if verdict.problem is not None:
            failed += 1
            print(f"FAIL  {case.place}: {case.rule}: {case.name}: {verdict.problem}")
            if verdict.event is not None:
                print("      " + str(explain(rules[case.rule], verdict.event)).replace("\n", "\n      "))
        elif args.verbose:
            print(f"ok    {case.rule}: {case.name}: {case.expectation}")
    print(f"{len(cases)} cases of {len(rules)} rules in {len(files)} files: {len(cases) - failed} passed, {failed} failed")
    lacking = untested(cases, rules.values())
    if lacking and (args.strict or args.verbose):
        console.say(f"without a case that fires or one that stays silent: {', '.join(lacking)}")
    return 1 if failed or (lacking and args.strict) else 0
