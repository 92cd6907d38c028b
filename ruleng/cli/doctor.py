"""`ruleng doctor`: what this host offers."""

from __future__ import annotations

import argparse
import sys

DESCRIPTION = """\
Show what this host offers: sources, levels of enforcement, privileges, and for what does not work why not, and what to do. Changes
nothing. Exit status 3 when no source works."""

EXAMPLES = """\
  sudo ruleng doctor
  ruleng doctor --json"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a JSON line for each finding")


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    import orjson

    from ruleng.cli.console import wants_colour
    from ruleng.pipeline.doctor import examine

    findings = list(examine())
    if args.json:
        for finding in findings:
            sys.stdout.write(orjson.dumps(asdict(finding)).decode() + "\n")
    else:
        colour = wants_colour(sys.stdout)
        marks = {True: ("ok", "\x1b[32m"), False: ("no", "\x1b[31m"), None: ("--", "\x1b[2m")}
        area = ""
        for finding in findings:
            if finding.area != area:
                area = finding.area
                print(area)
            mark, paint = marks[finding.works]
            shown = f"{paint}{mark}\x1b[0m" if colour else mark
            print(f"  {shown}  {finding.what:16}  {finding.text}")
    listening = [finding for finding in findings if finding.area.startswith("source") and finding.what in ("listening", "control")]
    return 0 if listening and all(finding.works for finding in listening) else 3
