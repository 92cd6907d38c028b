"""The kinds of sinks: one table of syntax, options and meaning. Parsing, `--help` and docs/sinks.md come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruleng.alert import Priority
from ruleng.sinks.encode.formats import FORMATS
from ruleng.sinks.encode.syslog import FACILITIES
from ruleng.sinks.units import duration_ns, size


@dataclass(frozen=True, slots=True)
class Option:
    """A row: `parse` raises ValueError saying what is wanted; `default` is text, or None for not given."""

    name: str
    parse: Callable[[str], Any]
    default: str | None
    doc: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sink. `target` is what stands after the colon, as shown to the user; empty for none."""

    name: str
    target: str
    doc: str
    failure: str
    options: tuple[Option, ...] = ()
    optional: bool = False  # the target is
    mark: Literal["?", "#"] = "?"  # what options follow

    @property
    def syntax(self) -> str:
        if not self.target:
            return self.name
        return f"{self.name}[:{self.target}]" if self.optional else f"{self.name}:{self.target}"


# --- values of options --------------------------------------------------------------------------------------------------


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a whole number, 1 or more")
    return int(text)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("a whole number")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("", "true", "false"):
        raise ValueError("true or false")
    return text != "false"


def _duration(text: str) -> int:
    found = duration_ns(text)
    if not found:
        raise ValueError("a duration above 0")
    return found


def _fsync(text: str) -> int | None:
    """As FileSink takes it."""
    if text in ("never", "alert"):
        return None if text == "never" else 0
    try:
        return _duration(text)
    except ValueError:
        raise ValueError("never, alert, or an interval such as 5s") from None


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return parse


def _facility(text: str) -> int:
    if text not in FACILITIES:
        raise ValueError(f"one of {', '.join(FACILITIES)}")
    return FACILITIES[text]


def _app_name(text: str) -> str:
    if not text or len(text) > 48 or not (text.isascii() and text.isprintable()) or set(text) & set(' []":='):
        raise ValueError("a name of at most 48 letters, digits and dashes")
    return text


def _priority(text: str) -> Priority:
    found = Priority.parse(text)
    if found is None:
        raise ValueError(f"one of {', '.join(priority.name.lower() for priority in Priority)}")
    return found


def _name(text: str) -> str:
    if not text or not all(char.isalnum() or char in "_-." for char in text):
        raise ValueError("letters, digits, `_`, `-` and `.`")
    return text


# --- the table ----------------------------------------------------------------------------------------------------------

COMMON = (
    Option("name", _name, "", "how rules name the sink: `alert(NAME)`; its kind if not given"),
    Option("priority", _priority, "debug", "only alerts at least this severe"),
)
_FORMAT = Option("format", _one_of(*FORMATS), "falco", "shape of the JSON: falco, ecs or ocsf")
_APP_NAME = Option("app_name", _app_name, "ruleng", "what the program is called in the log")
_WAITS = "the alerts wait in memory, and it is tried again"

KINDS: tuple[Kind, ...] = (
    Kind("stdout", "", "text on a terminal, JSON lines in a pipe; what you get if no sink is named",
         f"a full disk: {_WAITS}; the reader is gone: the sink ends"),
    Kind("text", "", "lines for people on standard output, in colour on a terminal unless NO_COLOR is set", "as stdout"),
    Kind("json", "", "JSON lines on standard output", "as stdout", (_FORMAT,)),
    Kind(
        "jsonl", "FILE", "JSON lines in a file, appended",
        f"a full disk, no permission: the batch is taken back whole, {_WAITS}; a line cut off by a crash is removed and counted",
        (
            _FORMAT,
            Option("max_size", size, None, "begin a new file before this size is exceeded: 100MB"),
            Option("rotate", _duration, None, "begin a new file at each multiple of this time, UTC: 1d is at midnight"),
            Option("keep", _number, "5", "how many old files to keep: FILE.1 is the newest"),
            Option("gzip", _flag, "false", "compress old files"),
            Option("fsync", _fsync, "never",
                   "when to force alerts to the disk: never (the kernel does in its time), alert (before they count as written), "
                   "or at an interval: 5s"),
        ),
    ),
    Kind(
        "sqlite", "FILE", "the embedded alert store, for `ruleng alerts`",
        f"another process holds the database, a full disk: {_WAITS}; an alert that comes twice is stored once",
        (
            Option("max_age", _duration, None, "forget alerts that were stored so long ago: 30d"),
            Option("max_rows", _count, None, "keep the newest so many"),
            Option("busy", _duration, "2s", "how long to wait for another process that holds the database"),
            Option("sync", _one_of("normal", "full"), "normal", "full: alerts survive a power cut too; costs a sync each batch"),
        ),
    ),
    Kind(
        "syslog", "PATH|udp://HOST:PORT|tcp://HOST:PORT", "the local log daemon (/dev/log), or RFC 5424 over the network",
        f"nobody there: {_WAITS}; UDP and TCP syslog confirm nothing, so what a receiver drops is not seen",
        (
            Option("facility", _facility, "authpriv", "syslog facility: user, daemon, auth, authpriv, local0 ... local7"),
            _APP_NAME,
            Option("max_size", size, "8192", "cut longer messages: first the fields, then the text"),
        ),
        optional=True,
    ),
    Kind("journald", "", "systemd's journal, with fields: `journalctl RULENG_RULE=...`", f"nobody there: {_WAITS}", (_APP_NAME,)),
    Kind(
        "http", "URL", "a POST for each alert, as falcosidekick takes it; `http:URL`, or just the URL",
        f"away, slow, overloaded, credentials refused: {_WAITS}, or they go to the spool; an alert that is refused (400, 413, 422) "
        "is counted as lost",
        (
            _FORMAT,
            Option("header", str, None, "a header, NAME:VALUE; may be given several times", many=True),
            Option("bearer_env", str, None, "the environment variable that holds a bearer token"),
            Option("basic_env", str, None, "the environment variable that holds USER:PASSWORD"),
            Option("ca", Path, None, "PEM file of certificates to trust, instead of the system's"),
            Option("cert", Path, None, "PEM file of our own certificate"),
            Option("key", Path, None, "PEM file of its key, if it is not in the same file"),
            Option("insecure", _flag, "false", "trust any certificate"),
            Option("timeout", _duration, "10s", "give up an exchange after this"),
            Option("spool", Path, None, "a folder of its own to keep alerts in while the endpoint is away, also over restarts"),
            Option("spool_max", size, "64MiB", "the spool's limit; above it, alerts wait in memory"),
        ),
        mark="#",
    ),
)  # fmt: skip

# --- docs ---------------------------------------------------------------------------------------------------------------


def help_text() -> str:
    """For `--help`: a line a kind."""
    shown = [kind.syntax if len(kind.syntax) < 24 else f"{kind.name}[:...]" for kind in KINDS]
    width = max(map(len, shown))
    lines = [f"  {syntax:{width}}  {kind.doc}" for syntax, kind in zip(shown, KINDS, strict=True)]
    return "\n".join([*lines, "  options follow as ?max_size=100MB&keep=5 (after # for http); docs/sinks.md has them all"])


def markdown() -> str:
    """docs/sinks.md."""
    lines = [
        "# Sinks",
        "",
        "Where alerts go: `--sink SPEC`, as often as wanted, or `[[sink]]` in the configuration. Options follow the spec:",
        "`jsonl:/var/log/ruleng/alerts.jsonl?max_size=100MB&keep=5`; for http they follow `#`, since a URL may have a `?` of its",
        "own: `http://localhost:2801/#timeout=5s`. A `?`, `#`, `&` or `%` that belongs to a path is written `%3F`, `%23`, `%26`,",
        "`%25`.",
        "",
        "Every sink runs behind a bounded queue of its own: a slow one holds up neither the others nor the rules. What is lost is",
        "counted under `sink.NAME` and told at the end of a run.",
        "",
    ]
    for kind in KINDS:
        lines += [f"## {kind.name}", "", f"`{kind.syntax}`: {kind.doc}.", "", f"When it fails: {kind.failure}.", ""]
        lines += _table((*kind.options, *COMMON))
    return "\n".join(lines)


def _table(options: tuple[Option, ...]) -> list[str]:
    rows = ["| option | default | meaning |", "|---|---|---|"]
    rows += [f"| `{option.name}` | {f'`{option.default}`' if option.default else ''} | {option.doc} |" for option in options]
    return [*rows, ""]
