"""ruleng.toml: one optional file. A table of keys with type, default and meaning; docs/configuration.md is printed from it.

In: the file's text. Out: a `Config`, or a ConfigError that names every mistake with its line and column. Reads no rules and
opens no sink: it says what is wanted, `ruleng.pipeline` does it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruleng.errors import UsageError

Json = Any


@dataclass(frozen=True, slots=True)
class Key:
    """A row of the table. `kind` is one of KINDS; `choices` limits text."""

    table: str
    name: str
    kind: str
    default: Json
    doc: str
    choices: tuple[str, ...] = ()


KINDS: Mapping[str, str] = {
    "text": "text in quotes",
    "texts": "a list of texts",
    "count": "a whole number, 1 or more",
    "number": "a whole number, 0 or more",
    "numbers": "a list of whole numbers",
    "flag": "true or false",
    "duration": "a duration such as 500ms, 5s, 1m, 2h",
}

KEYS: tuple[Key, ...] = (
    Key("rules", "paths", "texts", [], "files and folders of rules; none: the ones that ship"),
    Key("rules", "disable", "texts", [], "rules not to load, by name (with * and ?) or `tag:NAME`; applied before `enable`"),
    Key("rules", "enable", "texts", [], "rules to load even if disabled, by name or `tag:NAME`"),
    Key("rules", "priority", "text", "debug", "drop rules less severe than this"),
    Key("rules", "matching", "text", "first", "alert on the first rule that matches an event, or on all", ("first", "all")),
    Key("source", "names", "texts", ["auto"], "where events come from: auto, or one of those that `ruleng run --help` names"),
    Key("audit", "mode", "text", "multicast", "listen beside the audit daemon, or be it", ("multicast", "unicast")),
    Key("audit", "rules", "text", "manage", "add the kernel rules that the rules need and remove them at exit, or leave them be",
        ("manage", "leave")),
    Key("audit", "backend", "text", "ruleng", "who parses: ruleng, or python3-audit's auparse", ("ruleng", "auparse")),
    Key("audit", "backlog_limit", "number", 8192, "kernel queue in records while ruleng runs; 0 leaves it as it is"),
    Key("audit", "heavy", "flag", False, "let rules ask for syscalls that would flood audit (read, write, close, mmap, ...)"),
    Key("state", "processes", "count", 16384, "processes held, the exited ones among them"),
    Key("state", "containers", "count", 4096, "containers held"),
    Key("queue", "alerts", "count", 10000, "alerts waiting for a sink before its policy applies"),
    Key("queue", "policy", "text", "block", "what a full queue does", ("block", "drop-oldest", "drop-newest")),
    Key("queue", "deadline", "duration", "2s", "how long `block` waits before an alert is counted as lost"),
    Key("guard", "pids", "numbers", [], "never act on these pids"),
    Key("guard", "users", "texts", [], "never act on processes of these users"),
    Key("guard", "images", "texts", [], "never act on containers of these images (with * and ?)"),
    Key("guard", "paths", "texts", [], "never act on processes of these executables (with * and ?)"),
    Key("guard", "per_minute", "count", 30, "destructive actions a minute; more, and ruleng only alerts until restart or reload"),
    Key("guard", "journal", "text", "/var/log/ruleng/actions.jsonl", "append-only log of destructive actions"),
    Key("guard", "dry_run", "flag", False, "decide and record actions, but do not act"),
    Key("output", "hostname", "text", "", "the host's name in alerts; empty: what the host calls itself"),
)  # fmt: skip

ARRAYS: Mapping[str, tuple[Key, ...]] = {
    "sink": (
        Key("sink", "spec", "text", None, "`text`, `json`, `jsonl:FILE`, `sqlite:FILE`, `syslog`, `journald`, `http:URL`"),
        Key("sink", "name", "text", "", "how rules name it: `alert(NAME)`"),
        Key("sink", "priority", "text", "debug", "only alerts at least this severe"),
        Key("sink", "options", "table", {}, "options of the spec, as after its `?`"),
    ),
    "action": (
        Key("action", "rule", "text", "", "rules of this name (with * and ?)"),
        Key("action", "tag", "text", "", "rules with this tag"),
        Key("action", "do", "texts", None, 'actions as rules write them: ["alert", "kill(scope=tree)"]'),
    ),
}
"""Tables that may be given several times, as [[sink]] and [[action]]; a default of None makes the key required."""

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug")
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_UNIT_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}


class ConfigError(UsageError):
    """Every mistake of a configuration file, a line each: FILE:LINE:COLUMN: what is wrong and what is wanted."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Config:
    """Values by table and key, defaults put in; `arrays` holds the [[sink]] and [[action]] tables in order."""

    values: Mapping[tuple[str, str], Json] = field(default_factory=lambda: {(k.table, k.name): k.default for k in KEYS})
    arrays: Mapping[str, tuple[Mapping[str, Json], ...]] = field(default_factory=lambda: dict.fromkeys(ARRAYS, ()))
    path: Path | None = None
    text: str = field(default="", repr=False)  # to say where something stands

    def get(self, table: str, name: str) -> Json:
        return self.values[table, name]

    def duration_ns(self, table: str, name: str) -> int:
        return parse_duration_ns(self.values[table, name])

    def place(self, table: str, name: str, number: int = 0) -> str:
        """FILE:LINE:COLUMN of a key, in the `number`th [[table]] where there are several."""
        return f"{self.path}:{_at(self.text, (table, number, name))}"

    def mistake(self, table: str, name: str, error: UsageError, *, number: int = 0) -> UsageError:
        """What turned out later to be wrong with a value, with its place."""
        return UsageError(f"{self.place(table, name, number)}: {error}", hint=error.hint)


def parse_duration_ns(text: str) -> int:
    """`1m` -> 60_000_000_000. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(text)
    return int(match[1]) * _UNIT_NS[match[2]]


def read_config(path: Path) -> Config:
    """Raises ConfigError for an unreadable or mistaken file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from error
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from error
    return parse_config(text, path)


def parse_config(text: str, path: Path) -> Config:
    import tomllib  # here, because most runs have no file

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_mistake(str(error), path)]) from error
    mistakes = sorted(_mistakes(document), key=lambda found: _place(text, found[0]))
    if mistakes:
        raise ConfigError([f"{path}:{_at(text, where)}: {what}" for where, what in mistakes])
    values = {(key.table, key.name): document.get(key.table, {}).get(key.name, key.default) for key in KEYS}
    arrays = {
        name: tuple({key.name: row.get(key.name, key.default) for key in keys} for row in document.get(name, []))
        for name, keys in ARRAYS.items()
    }
    return Config(values, arrays, path, text)


# --- mistakes ---------------------------------------------------------------------------------------------------------

Where = tuple[str, int, str]
"""(table, which of the [[table]]s, key); the key is empty for the table itself."""


def _mistakes(document: Mapping[str, Json]) -> Iterator[tuple[Where, str]]:
    tables = {key.table: tuple(k for k in KEYS if k.table == key.table) for key in KEYS}
    for name, content in document.items():
        if name in ARRAYS:
            if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
                yield (name, 0, ""), f"`{name}` is given as [[{name}]], once for each"
                continue
            for number, row in enumerate(content):
                yield from _table_mistakes((name, number), row, ARRAYS[name])
        elif name in tables:
            if not isinstance(content, dict):
                yield (name, 0, ""), f"`{name}` is a table: [{name}]"
                continue
            yield from _table_mistakes((name, 0), content, tables[name])
        else:
            yield (name, 0, ""), f"unknown table `{name}`{_near(name, [*tables, *ARRAYS])}"


def _table_mistakes(table: tuple[str, int], content: Mapping[str, Json], keys: tuple[Key, ...]) -> Iterator[tuple[Where, str]]:
    known = {key.name: key for key in keys}
    for name, value in content.items():
        key = known.get(name)
        if key is None:
            yield (*table, name), f"unknown key `{name}` in [{table[0]}]{_near(name, list(known))}"
        elif (problem := _problem(key, value)) is not None:
            yield (*table, name), f"`{name}` {problem}"
    for key in keys:
        if key.default is None and key.name not in content:
            yield (*table, ""), f"[[{table[0]}]] lacks `{key.name}`: {key.doc}"
    if table[0] == "action" and bool(content.get("rule")) == bool(content.get("tag")):
        yield (*table, ""), "[[action]] wants either `rule` or `tag`"


def _problem(key: Key, value: Json) -> str | None:
    if not _fits(key.kind, value):
        return f"wants {KINDS.get(key.kind, 'a table')}, not {value!r}"
    if key.choices and value not in key.choices:
        return f"is one of {', '.join(key.choices)}, not {value!r}"
    if key.name == "priority" and value.lower() not in PRIORITIES:
        return f"is one of {', '.join(PRIORITIES)}, not {value!r}"
    return None


def _fits(kind: str, value: Json) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "numbers":
            return isinstance(value, list) and all(type(item) is int for item in value)
        case "count" | "number":
            return type(value) is int and value >= (1 if kind == "count" else 0)
        case "flag":
            return isinstance(value, bool)
        case "duration":
            return isinstance(value, str) and _DURATION.fullmatch(value) is not None
        case _:
            return isinstance(value, dict)


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f", did you mean `{close[0]}`?" if close else f"; there are {', '.join(sorted(known))}"


# --- places: tomllib keeps none, so the line of a key is looked up only when there is a mistake to show -----------------


def _place(text: str, where: Where) -> tuple[int, int]:
    """(line, column) of a key, or of its table's header."""
    table, number, key = where
    current, seen, header = "", -1, (1, 1)
    for line_number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line):
            current = match[1].strip("\"'")
            seen += current == table
            if current == table and seen == number:
                header = (line_number, match.start(1) + 1)
            continue
        name = re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*=", line)
        if name and current == table and seen == number and name[1] == key:
            return line_number, name.start(1) + 1
        if name and not current and name[1].split(".")[0] == table:  # `rules.paths = [...]` or `rules = 3` above the tables
            header = (line_number, name.start(1) + 1)
            if name[1] == f"{table}.{key}":
                return header
    return header


def _at(text: str, where: Where) -> str:
    line, column = _place(text, where)
    return f"{line}:{column}"


def _syntax_mistake(message: str, path: Path) -> str:
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if not match:
        return f"{path}: {message}"
    place = f":{match[2]}:{match[3]}" if match[2] else ""
    return f"{path}{place}: {match[1][0].lower()}{match[1][1:]}{'' if place else ' at the end of the file'}"


# --- docs -------------------------------------------------------------------------------------------------------------


def markdown() -> str:
    """docs/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "ruleng needs no configuration. Where one is wanted, it is one TOML file, given with `--config FILE`; what the command",
        "line says goes before it. A mistake in it is shown with its line and column, and nothing starts.",
        "",
    ]
    for table in dict.fromkeys(key.table for key in KEYS):
        lines += [f"## [{table}]", "", "| key | value | default | meaning |", "|---|---|---|---|"]
        lines += [_row(key) for key in KEYS if key.table == table] + [""]
    for name, keys in ARRAYS.items():
        lines += [
            f"## [[{name}]]",
            "",
            "May be given several times.",
            "",
            "| key | value | default | meaning |",
            "|---|---|---|---|",
        ]
        lines += [_row(key) for key in keys] + [""]
    return "\n".join(lines)


def _row(key: Key) -> str:
    kind = " or ".join(f"`{choice}`" for choice in key.choices) or KINDS.get(key.kind, "a table")
    default = "required" if key.default is None else f"`{_toml(key.default)}`"
    return f"| `{key.name}` | {kind} | {default} | {key.doc.replace('|', chr(92) + '|')} |"


def _toml(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case list():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case dict():
            return "{}"
        case _:
            return str(value)
