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
    from ruleng.cli.options import add_config, add_rules, count

    parser.add_argument("rule", nargs="?", metavar="RULE", help="the rule's name")
    parser.add_argument("file", metavar="FILE", help="events, or an audit log; - is standard input")
    add_rules(parser)
    add_config(parser)
    parser.add_argument("--num", type=int, metavar="N", help="only the event with this number (evt.num)")
    parser.add_argument("--all", action="store_true", help="every enabled rule; show those that match")
    parser.add_argument("--limit", type=count, default=10, metavar="N", help="stop after N explanations (default 10)")
    parser.add_argument("--json", action="store_true", help="a JSON line for each explanation")


def run(args: argparse.Namespace) -> int:
    from ruleng.cli.console import Console
    from ruleng.cli.options import settings
    from ruleng.errors import UsageError
    from ruleng.metrics import RunStats
    from ruleng.pipeline import rules
    from ruleng.pipeline.clock import SystemClock
    from ruleng.pipeline.ending import is_sound, say_losses
    from ruleng.pipeline.explain import explained

    if (args.rule is None) == (not args.all):
        raise UsageError(
            "which rule?", hint='give its name before the file, or --all without one: ruleng explain "Account secrets read" FILE'
        )
    wanted = settings(args)
    console, stats = Console(), RunStats(SystemClock())
    ruleset = rules.build(wanted).ruleset
    shown = 0
    for num, explanation in explained(wanted, ruleset.rules, args.rule, args.file, stats, num=args.num):
        if args.json:
            import orjson

            sys.stdout.buffer.write(orjson.dumps({"num": num, **explanation.as_json()}, option=orjson.OPT_APPEND_NEWLINE))
        else:
            print(f"event {num}: {explanation}\n")
        shown += 1
        if shown == args.limit:
            break
    say_losses(stats, console)
    if not shown:
        console.say("no rule matches" if args.all else "there is no such event" if args.num is not None else "there are no events")
    return 0 if is_sound(stats) and (shown or args.all) else 1
