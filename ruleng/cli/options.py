"""Options that several commands share, and what they make of them: settings, rules, complaints about rules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ruleng.config import Config, parse_duration_ns, read_config

if TYPE_CHECKING:
    from ruleng.lang.diagnostics import Diagnostic
    from ruleng.pipeline.settings import Settings

DEFAULT_CONFIG = Path("/etc/ruleng/ruleng.toml")


def add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rules")
    group.add_argument(
        "-r",
        "--rules",
        action="append",
        default=[],
        metavar="PATH",
        help="a rule file or folder, may be repeated (default: those that ship)",
    )
    group.add_argument(
        "--enable", action="append", default=[], metavar="RULE", help="load it even if disabled; name with * and ?, or tag:NAME"
    )
    group.add_argument("--disable", action="append", default=[], metavar="RULE", help="do not load it; applied before --enable")
    group.add_argument("--priority", metavar="LEVEL", help="drop rules less severe than LEVEL")
    group.add_argument("--matching", choices=("first", "all"), help="alert on the first rule that matches an event, or on all")


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        help=f"configuration (default: {DEFAULT_CONFIG} where it exists), see docs/configuration.md",
    )


def add_sinks(parser: argparse.ArgumentParser) -> None:
    """Also puts the kinds of sinks at the end of the help."""
    from ruleng.sinks.kinds import help_text

    parser.add_argument(
        "-s",
        "--sink",
        action="append",
        default=[],
        metavar="SPEC",
        help="where alerts go, may be repeated (default: stdout); see below",
    )
    parser.epilog = f"sinks:\n{help_text()}\n\n{parser.epilog}"


def duration(text: str) -> float:
    """argparse type: `10s` -> 10.0 seconds."""
    try:
        return parse_duration_ns(text) / 1e9
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 500ms, 10s, 5m") from None


def settings(args: argparse.Namespace) -> Settings:
    """Raises ConfigError for a mistaken configuration file."""
    from ruleng.pipeline.settings import Settings

    given = getattr(args, "config", None)
    path = given or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    return Settings(
        config=read_config(path) if path else Config(),
        rules=getattr(args, "rules", ()),
        enable=getattr(args, "enable", ()),
        disable=getattr(args, "disable", ()),
        priority=getattr(args, "priority", None),
        matching=getattr(args, "matching", None),
        sources=getattr(args, "source", ()) or (),
        sinks=getattr(args, "sink", ()),
        audit_rules=getattr(args, "audit_rules", None),
        dry_run=getattr(args, "dry_run", False),
        duration_s=getattr(args, "duration", None),
    )


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Mistakes and warnings of rules, on standard error."""
    from ruleng.cli.console import wants_colour
    from ruleng.lang.report import render_text

    if shown := tuple(diagnostics):
        print(render_text(shown, colour=wants_colour(sys.stderr)), file=sys.stderr)
