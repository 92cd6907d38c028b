"""`ruleng explain`: why a rule did or did not match."""

from __future__ import annotations

import argparse
import sys

DESCRIPTION = """\
Show why a rule did or did not match events: the value of every part of its condition, and the part that failed. Events are JSON
lines as `ruleng events` prints them, or an audit log."""

EXAMPLES = """\
  ruleng explain "Account secrets read" events.jsonl
  ruleng explain --rules my.rules "My rule" audit.log --num 17
  ruleng explain "My rule" - < event.json             one event from standard input
  ruleng explain --all event.jsonl                    every rule, only the ones that match"""


def configure(parser: argparse.ArgumentParser) -> None:
    from ruleng.cli.options import add_config, add_rules

    add_rules(parser)
    add_config(parser)
    parser.add_argument("rule", nargs="?", metavar="RULE", help="the rule's name")
    parser.add_argument("file", metavar="FILE", help="events, or an audit log; - is standard input")
    parser.add_argument("--num", type=int, metavar="N", help="only the event with this number (evt.num)")
    parser.add_argument("--all", action="store_true", help="every rule; show those that match")
    parser.add_argument("--limit", type=int, default=10, metavar="N", help="stop after N explanations (default 10)")
    parser.add_argument("--json", action="store_true", help="a JSON line for each explanation")


def run(args: argparse.Namespace) -> int:
    import difflib

    import orjson

    from ruleng.cli.options import settings
    from ruleng.engine.explain import explain
    from ruleng.errors import UsageError
    from ruleng.metrics import RunStats
    from ruleng.pipeline import rules
    from ruleng.pipeline.clock import SystemClock
    from ruleng.pipeline.events import demand_for
    from ruleng.pipeline.replay import read_events

    wanted = settings(args)
    ruled = rules.build(wanted)
    known = {rule.name: rule for rule in ruled.ruleset.rules}
    if args.rule is None and not args.all:
        raise UsageError("which rule?", hint='give its name before the file, or --all: ruleng explain "Account secrets read" FILE')
    if args.rule is not None and args.rule not in known:
        near = difflib.get_close_matches(args.rule, known, 1)
        raise UsageError(f"there is no rule `{args.rule}`", hint=f"did you mean `{near[0]}`?" if near else None)
    asked = list(known.values()) if args.all else [known[args.rule]]
    shown = 0
    stats = RunStats(SystemClock())
    for event in read_events(wanted, args.file, demand_for(None, None), stats):
        if args.num is not None and event.num != args.num:
            continue
        for rule in asked:
            explanation = explain(rule, event)
            if args.all and not explanation.verdict:
                continue
            if args.json:
                sys.stdout.buffer.write(orjson.dumps(explanation.as_json(), option=orjson.OPT_APPEND_NEWLINE))
            else:
                print(f"event {event.num}: {explanation}\n")
            shown += 1
        if shown >= args.limit:
            break
    if not shown:
        print("no event to explain" if not args.all else "no rule matches", file=sys.stderr)
    return 0
