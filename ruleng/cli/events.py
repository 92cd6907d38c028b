"""`ruleng events`: what a source or a file normalises to."""

from __future__ import annotations

import argparse
import sys

DESCRIPTION = """\
Print the events of audit logs, of recordings or of this host as JSON lines in the catalogue's field names. `ruleng replay`,
`ruleng explain` and tests beside rules take them back."""

EXAMPLES = """\
  ruleng events /var/log/audit/audit.log
  ruleng events --fields evt.type,proc.name,fd.name audit.log
  ruleng events --type openat,execve audit.log | head
  sudo ruleng events --source audit --duration 10s > events.jsonl"""


def configure(parser: argparse.ArgumentParser) -> None:
    from ruleng.cli.options import add_config, duration

    parser.add_argument("files", nargs="*", metavar="FILE", help="audit logs or recorded events; - is standard input")
    parser.add_argument("--source", action="append", default=[], metavar="NAME", help="a live source, instead of files")
    parser.add_argument("--fields", metavar="NAME,...", help="only these fields")
    parser.add_argument("--type", metavar="NAME,...", help="only these event types")
    parser.add_argument("--rotated", action="store_true", help="read FILE's rotated siblings before it")
    parser.add_argument("--duration", type=duration, metavar="TIME", help="end after this time (live)")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    import asyncio

    from ruleng.cli.console import Console
    from ruleng.cli.options import settings
    from ruleng.errors import UsageError
    from ruleng.pipeline.events import print_events

    if bool(args.files) == bool(args.source):
        raise UsageError("give files, or --source for live events", hint="ruleng events /var/log/audit/audit.log")
    return asyncio.run(
        print_events(
            settings(args),
            args.files,
            Console(),
            sys.stdout.buffer,
            types=_names(args.type),
            fields=_names(args.fields),
            rotated=args.rotated,
        )
    )


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
