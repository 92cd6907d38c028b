"""Options that several commands share, and what they make of them: settings, rules, complaints about rules."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ruleng.config import PRIORITIES, Config, parse_duration_ns, read_config

if TYPE_CHECKING:
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
    add_priority(group, "drop rules less severe than LEVEL")
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


def count(text: str) -> int:
    """argparse type: a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def add_priority(parser: argparse._ActionsContainer, help: str) -> None:
    parser.add_argument("--priority", type=_priority, metavar="LEVEL", help=help)


def _priority(text: str) -> str:
    if text.lower() not in PRIORITIES:
        raise argparse.ArgumentTypeError(f"{text!r} is no priority: there are {', '.join(PRIORITIES)}")
    return text


def settings(args: argparse.Namespace) -> Settings:
    """What was asked for: reads the configuration file. Raises ConfigError for a mistaken one."""
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
        backend=getattr(args, "backend", None),
        dry_run=getattr(args, "dry_run", False),
        duration_s=getattr(args, "duration", None),
    )
