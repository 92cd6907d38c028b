"""`ruleng replay`: decide over what was recorded."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
Decide over audit logs (plain, gzip, rotated) and recorded events (JSON lines of `ruleng events`), with the rules and sinks of a
live run, as fast as the machine goes. Nothing of this host is read, and nothing is killed: the alert says what would have been."""

EXAMPLES = """\
  ruleng replay /var/log/audit/audit.log
  ruleng replay --rotated /var/log/audit/audit.log       audit.log.4 ... audit.log.1, then audit.log
  ruleng replay -r my.rules -s jsonl:alerts.jsonl *.log
  zcat old.gz | ruleng replay -                          from standard input"""


def configure(parser: argparse.ArgumentParser) -> None:
    from ruleng.cli.options import add_config, add_rules, add_sinks

    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="audit logs, folders of them, or recorded events; - is standard input"
    )
    add_rules(parser)
    add_sinks(parser)
    add_config(parser)
    parser.add_argument("--rotated", action="store_true", help="read FILE's rotated siblings (FILE.4 ... FILE.1) before it")
    parser.add_argument("--backend", choices=("ruleng", "auparse"), help="who parses audit logs (default: ruleng)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary at the end")


def run(args: argparse.Namespace) -> int:
    import asyncio

    from ruleng.cli.console import Console
    from ruleng.cli.options import settings
    from ruleng.pipeline.replay import replay

    return asyncio.run(replay(settings(args), args.files, Console(), rotated=args.rotated, quiet=args.quiet))
