"""`ruleng run`: live."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
Watch this host: take events from the kernel, decide with rules, act, and send alerts to sinks. Needs root.

SIGHUP reloads rules, and what the configuration says of them (a bad file is refused and the old rules stay); SIGTERM and Ctrl-C
end after what was read is decided."""

EXAMPLES = """\
  sudo ruleng run                                            the rules that ship, alerts to the terminal
  sudo ruleng run -r falco_rules.yaml -s jsonl:/var/log/ruleng/alerts.jsonl
  sudo ruleng run --dry-run -r my.rules                      decide to kill, and do not
  sudo ruleng run --source audit --duration 20s              for a while
  ruleng run --source stdin                                  as a plugin of auditd, see docs/audit.md"""


def configure(parser: argparse.ArgumentParser) -> None:
    from ruleng.cli.options import add_config, add_rules, add_sinks, duration
    from ruleng.pipeline.sources import help_text

    parser.add_argument("--source", action="append", default=[], metavar="NAME", help=f"where events come from: {help_text()}")
    add_rules(parser)
    add_sinks(parser)
    add_config(parser)
    parser.add_argument(
        "--audit-rules", choices=("manage", "leave"), help="add and remove kernel audit rules (default), or only listen"
    )
    parser.add_argument("--dry-run", action="store_true", help="decide and record actions, but do not act")
    parser.add_argument("--duration", type=duration, metavar="TIME", help="end after this time: 20s, 5m")
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary at the end")


def run(args: argparse.Namespace) -> int:
    import asyncio

    from ruleng.cli.console import Console
    from ruleng.cli.options import settings
    from ruleng.pipeline.live import live

    return asyncio.run(live(lambda: settings(args), Console(), quiet=args.quiet))
