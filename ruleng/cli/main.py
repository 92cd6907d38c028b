"""`ruleng COMMAND ...`: finds the command's module and runs it.

A command's module has `DESCRIPTION`, `EXAMPLES`, `configure(parser)` and `run(args) -> int` (the exit status: 0 done, 1 rules
or input have errors, 2 usage, 3 the host lacks what was asked for). Nothing but argparse is imported before the command is
known, so that `ruleng --help` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from ruleng.cli import streams

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
  ruleng check falco_rules.yaml                  are my Falco rules right, and what would never fire?
  ruleng COMMAND --help                          more, with examples
"""

OK, FAILED, USAGE = 0, 1, 2
COLLECT_EVERY = 50_000  # objects more than before; Python's 700 costs a twentieth of the start, and finds as little
INTERRUPTED = 128 + signal.SIGINT  # as shells say it


class Parser(argparse.ArgumentParser):
    """argparse, with one clear line for a mistake."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status. Without `argv` it is this process's command line."""
    if argv is None:
        streams.prepare()
        gc.set_threshold(COLLECT_EVERY, 10, 10)
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else None
    try:
        try:
            status = _command(name, arguments[1:]) if name in COMMANDS else _overview(arguments)
        except SystemExit as end:  # argparse has said what there is to say
            status = int(end.code or OK)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except streams.OutputError as error:
        streams.give_up()
        if isinstance(error.__cause__, BrokenPipeError):  # the reader has seen enough
            return OK
        from ruleng.cli.console import Console

        Console().say(f"standard output: {getattr(error.__cause__, 'strerror', error)}")
        return FAILED
    return status


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


def _command(name: str, arguments: Sequence[str]) -> int:
    from ruleng.errors import RulengError

    module = importlib.import_module(f"ruleng.cli.{name}")
    parser = parser_of(name, module)
    try:
        return int(module.run(parser.parse_args(arguments)))
    except RulengError as error:
        from ruleng.cli.console import Console

        Console().complain(error, parser.prog)
        return error.exit_status


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
        return OK
    if args.command is not None:
        import difflib

        near = difflib.get_close_matches(args.command, COMMANDS, 1)
        parser.error(f"unknown command `{args.command}`{f', did you mean `{near[0]}`?' if near else ''}")
    parser.print_help(sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
