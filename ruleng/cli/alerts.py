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


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store", type=Path, metavar="FILE", help="the store")
    parser.add_argument("--rule", metavar="NAME", help="of rules of this name, with * and ?")
    parser.add_argument("--priority", metavar="LEVEL", help="at least this severe")
    parser.add_argument("--since", metavar="TIME", help="not older than 1h, 30m, 2d, or an ISO 8601 time")
    parser.add_argument("--until", metavar="TIME", help="older than that")
    parser.add_argument("--tag", metavar="NAME", help="of rules with this tag, with * and ?")
    parser.add_argument("--container", metavar="ID", help="of this container: its id, or its name with * and ?")
    parser.add_argument("--pid", type=int, metavar="N", help="of this process")
    parser.add_argument("-n", "--limit", type=int, default=50, metavar="N", help="at most the newest N (default 50; 0 is all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--json", action="store_true", help="JSON lines (default when piped)")


def run(args: argparse.Namespace) -> int:
    from itertools import chain

    from ruleng.alert import Priority
    from ruleng.cli.console import wants_colour
    from ruleng.errors import UsageError
    from ruleng.sinks.encode.text import block
    from ruleng.sinks.store import Filter, Reader

    priority = Priority.parse(args.priority) if args.priority else None
    if args.priority and priority is None:
        raise UsageError(f"`{args.priority}` is no priority", hint=f"there are {', '.join(p.name.lower() for p in Priority)}")
    wanted = Filter(
        rule=args.rule,
        priority=priority,
        since_ns=_time_ns(args.since),
        until_ns=_time_ns(args.until),
        tag=args.tag,
        container=args.container,
        pid=args.pid,
    )
    as_json = args.json or not sys.stdout.isatty()
    with Reader(args.store) as reader:
        found = list(reader.select(wanted, limit=args.limit or None, order="newest"))[::-1]
        coming = reader.follow(wanted, _wait) if args.follow else iter(())
        for stored in chain(found, coming):
            text = stored.json.decode() + "\n" if as_json else block(stored.alert(), colour=wants_colour(sys.stdout))
            sys.stdout.write(text)
            if args.follow:
                sys.stdout.flush()
    return 0


def _wait() -> bool:
    time.sleep(POLL_S)
    return True


def _time_ns(text: str | None) -> int | None:
    """`1h` is an hour ago; else a time of ISO 8601, local where it names no zone."""
    if text is None:
        return None
    from datetime import datetime

    from ruleng.config import parse_duration_ns
    from ruleng.errors import UsageError

    try:
        return time.time_ns() - parse_duration_ns(text)
    except ValueError:
        pass
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000
    except ValueError:
        raise UsageError(f"`{text}` is no time", hint="write 1h, 30m, 2d, or 2026-05-01T12:00") from None
