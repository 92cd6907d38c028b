"""`ruleng fields`: the field catalogue."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "Print the fields that rules and outputs can use: name, type, unit, meaning, the sources that fill them, ECS and OCSF names."
)

EXAMPLES = """\
  ruleng fields                       all of them, a line each
  ruleng fields proc. fd.name         those that begin so
  ruleng fields --format json         for programs
  ruleng fields --format markdown     docs/fields.md"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prefixes", nargs="*", metavar="PREFIX", help="only fields whose name begins so")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="text (default), json or markdown")


def run(args: argparse.Namespace) -> int:
    import difflib

    from ruleng.errors import UsageError
    from ruleng.fields import document
    from ruleng.fields.catalogue import standard
    from ruleng.fields.types import Catalogue

    whole = standard()
    wanted = tuple(args.prefixes) or ("",)
    catalogue = Catalogue.of((field for field in whole if field.name.startswith(wanted)), whole.event_types)
    if not catalogue.fields:
        near = difflib.get_close_matches(args.prefixes[0], whole.fields, 1)
        raise UsageError(f"no field begins with {' or '.join(args.prefixes)}", hint=f"did you mean `{near[0]}`?" if near else None)
    printers = {"text": document.text, "json": document.as_json, "markdown": document.markdown}
    print(printers[args.format](catalogue))
    return 0
