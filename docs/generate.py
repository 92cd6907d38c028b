"""Prints the pages of docs/ that come from tables: `python -m docs.generate`, or `--check` to only say which are out of date."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent


def configuration() -> str:
    from ruleng.config import markdown

    return markdown()


def fields() -> str:
    from ruleng.fields.catalogue import standard
    from ruleng.fields.document import markdown

    return markdown(standard())


def sinks() -> str:
    from ruleng.sinks.kinds import markdown

    return markdown()


def diagnostics() -> str:
    """Every code that a rule file can be given."""
    from ruleng.lang.mistakes import codes

    lines = ["# Diagnostics", "", "What `ruleng check --explain CODE` says of each code.", ""]
    for code, explanation in codes().items():
        lines += [f"## {code}: {explanation.title}", "", explanation.text.strip(), ""]
    return "\n".join(lines)


def commands() -> str:
    """`--help` of every command, as on a terminal of 100 columns."""
    from ruleng.cli.main import COMMANDS, parser_of

    lines = ["# Commands", ""]
    for name in COMMANDS:
        module = importlib.import_module(f"ruleng.cli.{name}")
        lines += [f"## ruleng {name}", "", "```", parser_of(name, module, width=100).format_help().rstrip(), "```", ""]
    return "\n".join(lines)


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands,
    "configuration.md": configuration,
    "diagnostics.md": diagnostics,
    "fields.md": fields,
    "sinks.md": sinks,
}


def stale() -> list[str]:
    """Pages that differ from what the tables say."""
    return [name for name, make in PAGES.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != _page(make)]


def _page(make: Callable[[], str]) -> str:
    return make().rstrip("\n") + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is out of date")
    names = stale()
    if parser.parse_args().check:
        print("\n".join(f"docs/{name} is out of date: make docs" for name in names))
        return 1 if names else 0
    for name in names:
        (FOLDER / name).write_text(_page(PAGES[name]))
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
