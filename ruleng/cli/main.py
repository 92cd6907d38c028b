"""`ruleng COMMAND ...`: finds the command's module and runs it.

A command's module has `DESCRIPTION`, `EXAMPLES`, `configure(parser)` and `run(args) -> int` (the exit status: 0 done, 1 rules
or input have errors, 2 usage, 3 the host lacks what was asked for). Nothing but argparse is imported before the command is
known, so that `ruleng --help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NoReturn

COMMANDS = {
    "run": "live: watch this host with rules",
    "replay": "decide over audit logs and recorded events",
    "events": "print what a source or a file normalises to, as JSON lines",
    "check": "check rule files: errors, warnings, what each rule needs",
    "test": "run the tests beside the rules",
    "explain": "show why a rule did or did not match an event",
    "convert": "print Falco YAML rules as .rules",
    "fields": "print the field catalogue",
    "doctor": "show what this host offers, and why not",
    "alerts": "list, filter and follow stored alerts",
}

EPILOG = """\
examples:
  sudo ruleng run                                watch this host with the rules that ship
  ruleng replay /var/log/audit/audit.log         decide over what was logged
  ruleng check --rules falco_rules.yaml          are my Falco rules right, and what would never fire?
  ruleng COMMAND --help                          more, with examples
"""


class Parser(argparse.ArgumentParser):
    """argparse, with one clear line for a mistake."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] not in COMMANDS:
        return _overview(arguments)
    module = importlib.import_module(f"ruleng.cli.{arguments[0]}")
    parser = parser_of(arguments[0], module)
    return _run(module.run, parser.parse_args(arguments[1:]), parser)


def parser_of(name: str, module: ModuleType, width: int | None = None) -> Parser:
    """The command's parser; `width` in columns, that of the terminal if not given."""
    parser = Parser(
        prog=f"ruleng {name}",
        description=module.DESCRIPTION,
        epilog=f"examples:\n{module.EXAMPLES}",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=width),
    )
    module.configure(parser)
    return parser


def _overview(arguments: Sequence[str]) -> int:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items())
    parser = Parser(
        prog="ruleng",
        usage="ruleng COMMAND [OPTION...]",
        description=f"Detection and response engine for Linux.\n\ncommands:\n{listing}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and end")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments[:1])
    if args.version:
        from ruleng import __version__

        print(f"ruleng {__version__}")
        return 0
    if args.command is not None:
        import difflib

        near = difflib.get_close_matches(args.command, COMMANDS, 1)
        parser.error(f"unknown command `{args.command}`{f', did you mean `{near[0]}`?' if near else ''}")
    parser.print_help()
    return 0 if arguments else 2


def _run(command: Callable[[argparse.Namespace], int], args: argparse.Namespace, parser: Parser) -> int:
    from ruleng.errors import RulengError

    try:
        status = command(args)
        sys.stdout.flush()
    except RulengError as error:
        from ruleng.cli.console import complain

        complain(error, parser.prog)
        return error.exit_status
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status


if __name__ == "__main__":
    sys.exit(main())
