"""`ruleng convert`: Falco YAML -> .rules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DESCRIPTION = """\
Print Falco YAML rule files as .rules, equal in meaning. Lists, macros, exceptions and overrides stay what they are."""

EXAMPLES = """\
  ruleng convert falco_rules.yaml > falco.rules
  ruleng convert -o rules.d falco_rules.yaml local.yaml       one .rules file for each, into a folder"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="Falco rule files, in the order in which they load")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write NAME.rules for each NAME.yaml there")


def run(args: argparse.Namespace) -> int:
    from ruleng.cli.console import Console
    from ruleng.errors import InputError, UsageError
    from ruleng.lang.convert import convert

    for path in args.files:
        if path.suffix == ".rules":
            raise UsageError(f"{path} is a .rules file already")
    targets = [path.with_suffix(".rules").name for path in args.files]
    if args.output is not None and len(set(targets)) < len(targets):
        raise UsageError("two files of the same name would become one")
    console = Console()
    converted = convert(args.files)
    console.show(converted.diagnostics)
    if any(diagnostic.is_error for diagnostic in converted.diagnostics):
        return 1
    if args.output is None:
        for text in converted.texts:
            sys.stdout.write(text)
        return 0
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        for path, name, text in zip(args.files, targets, converted.texts, strict=True):
            (args.output / name).write_text(text, encoding="utf-8")
            console.tell(f"{path} -> {args.output / name}")
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(error.filename)) from error
    return 0
