"""`ruleng alerts`: what the embedded store holds."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

DESCRIPTION = "List, filter and follow the alerts of a store that `ruleng run --sink sqlite:FILE` writes. Newest last."

EXAMPLES = """\
  ruleng alerts alerts.db                                  the last 50
  ruleng alerts alerts.db --rule 'Account*' --since 1h
  ruleng alerts alerts.db --priority error --json          JSON lines, as Falco has them
  ruleng alerts alerts.db --follow                         go on with what comes"""

POLL_S = 0.25
_DIGITS = 18  # of numbers that SQLite's integers hold whatever they are


def configure(parser: argparse.ArgumentParser) -> None:
    from ruleng.cli.options import add_priority

    parser.add_argument("store", type=Path, metavar="FILE", help="the store")
    parser.add_argument("--rule", metavar="NAME", help="of rules of this name, with * and ?")
    add_priority(parser, "at least this severe")
    parser.add_argument("--since", type=_time_ns, metavar="TIME", help="not older than 1h, 30m, 2d, or an ISO 8601 time")
    parser.add_argument("--until", type=_time_ns, metavar="TIME", help="older than that")
    parser.add_argument("--tag", metavar="NAME", help="of rules with this tag, with * and ?")
    parser.add_argument("--container", metavar="ID", help="of this container: its id, or its name with * and ?")
    parser.add_argument("--pid", type=_number, metavar="N", help="of this process")
    parser.add_argument("-n", "--limit", type=_number, default=50, metavar="N", help="at most the newest N (default 50; 0 is all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--json", action="store_true", help="JSON lines (default when piped)")


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace
    from itertools import chain

    from ruleng.alert import Priority
    from ruleng.cli.console import wants_colour
    from ruleng.sinks.encode.text import block
    from ruleng.sinks.store import Filter, Reader

    wanted = Filter(
        rule=args.rule,
        priority=Priority.parse(args.priority) if args.priority else None,
        since_ns=args.since,
        until_ns=args.until,
        tag=args.tag,
        container=args.container,
        pid=args.pid,
    )
    as_json = args.json or not sys.stdout.isatty()
    colour = wants_colour(sys.stdout)
    with Reader(args.store) as reader:
        last = reader.last_id()  # what comes between listing and following is followed
        found = [stored for stored in reader.select(wanted, limit=args.limit or None, order="newest") if stored.id <= last]
        coming = reader.follow(replace(wanted, after_id=last), _wait) if args.follow else ()
        for stored in chain(reversed(found), coming):
            sys.stdout.write(stored.json.decode() + "\n" if as_json else block(stored.alert(), colour=colour))
            if args.follow:
                sys.stdout.flush()
    return 0


def _wait() -> bool:
    time.sleep(POLL_S)
    return True


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > _DIGITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _time_ns(text: str) -> int:
    """argparse type: `1h` is an hour ago; else a time of ISO 8601, local where it names no zone."""
    from datetime import datetime

    from ruleng.config import parse_duration_ns

    try:
        return max(0, time.time_ns() - parse_duration_ns(text))
    except ValueError:
        pass
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 1h, 30m, 2d, or 2026-05-01T12:00") from None
