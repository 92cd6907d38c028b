"""Sinks by name: `jsonl:FILE?max_size=100MB&keep=5` -> SinkSpec -> Sink.

A mistake is a UsageError that names the option and what it wants. The modules of sinks are imported only when one is opened.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ruleng.alert import Priority
from ruleng.errors import UsageError
from ruleng.ports import Sink
from ruleng.sinks.kinds import COMMON, KINDS, Kind, Option, help_text, markdown
from ruleng.sinks.tools import Tools

if TYPE_CHECKING:
    from ruleng.sinks.blocking import Blocking

__all__ = ["SinkSpec", "help_text", "markdown", "name_apart", "open_sink", "parse_spec"]

_BY_NAME = {kind.name: kind for kind in KINDS}
Given = Mapping[str, str | int | bool | Sequence[str]]
"""Options as a configuration file has them."""


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """What the user asked for, checked, defaults put in."""

    text: str
    kind: str
    target: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    name: str = ""
    priority: Priority = Priority.DEBUG  # only alerts at least so severe


def parse_spec(text: str, *, options: Given | None = None, name: str = "", priority: str = "") -> SinkSpec:
    """`options`, `name` and `priority` say what configuration says beside the text; the text's own go before. Raises
    UsageError.
    """
    kind, rest = _kind(text)
    target, _, query = rest.partition(kind.mark)
    if kind.name != "http":
        target = unquote(target)
    if bool(target) != bool(kind.target) and not kind.optional:
        wanted = f"nothing follows `{kind.name}`" if not kind.target else f"write {kind.syntax}"
        raise UsageError(f"`{text}` is no sink: {wanted}")
    given = {key: _texts(value) for key, value in (options or {}).items()}
    given |= {"name": [name]} if name else {}
    given |= {"priority": [priority]} if priority else {}
    values = _values(kind, text, given | _query(query))
    spec = SinkSpec(
        text=text,
        kind=kind.name,
        target=target,
        options=MappingProxyType({key: value for key, value in values.items() if key not in ("name", "priority")}),
        name=values["name"] or kind.name,
        priority=values["priority"],
    )
    if kind.name == "syslog":
        _receiver(spec)
    return spec


def name_apart(specs: Iterable[SinkSpec]) -> tuple[SinkSpec, ...]:
    """The specs with names that differ: a second `jsonl` becomes `jsonl-2`. Raises UsageError when two were given one name."""
    found: dict[str, SinkSpec] = {}
    for spec in specs:
        name, number = spec.name, 1
        while name in found:
            if spec.name != spec.kind:
                raise UsageError(f"two sinks are called `{spec.name}`", hint="each needs a name of its own")
            number += 1
            name = f"{spec.name}-{number}"
        found[name] = replace(spec, name=name)
    return tuple(found.values())


def open_sink(spec: SinkSpec, tools: Tools) -> Sink:
    """The sink, not yet opened. Raises UsageError for what only now turns out not to be there: a certificate, a secret."""
    if spec.kind == "http":
        return _http(spec, tools)
    from ruleng.sinks.blocking import ThreadSink

    match spec.kind:
        case "stdout" | "text" | "json":
            return ThreadSink(_stdout(spec, tools))
        case "jsonl":
            return ThreadSink(_jsonl(spec, tools))
        case "sqlite":
            return ThreadSink(_sqlite(spec, tools))
        case _:
            return ThreadSink(_syslog(spec, tools))


# --- parsing ------------------------------------------------------------------------------------------------------------


def _kind(text: str) -> tuple[Kind, str]:
    word = re.split("[:?#]", text, maxsplit=1)[0]
    rest = text[len(word) :].removeprefix(":")
    if word in ("http", "https") and rest.startswith("//"):
        return _BY_NAME["http"], text
    if word == "kafka":
        raise UsageError("this ruleng cannot send alerts to Kafka yet", hint="http: to a bridge such as falcosidekick can")
    if word not in _BY_NAME:
        close = difflib.get_close_matches(word, _BY_NAME, 1)
        near = f", did you mean `{close[0]}`?" if close else ""
        raise UsageError(f"`{text}` is no sink{near}", hint=f"there are {', '.join(kind.syntax for kind in KINDS)}")
    return _BY_NAME[word], rest


def _query(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        key, _, value = pair.partition("=")
        found.setdefault(key, []).append(unquote(value))
    return found


def _texts(value: str | int | bool | Sequence[str]) -> list[str]:
    match value:
        case bool():
            return ["true" if value else "false"]
        case str() | int():
            return [str(value)]
        case _:
            return [str(item) for item in value]


def _values(kind: Kind, text: str, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    known = {option.name: option for option in (*COMMON, *kind.options)}
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            near = f", did you mean `{close[0]}`?" if close else ""
            raise UsageError(f"`{text}`: {kind.name} has no option `{key}`{near}", hint=f"it has {', '.join(sorted(known))}")
    return {option.name: _value(option, text, given.get(option.name)) for option in known.values()}


def _value(option: Option, text: str, given: Sequence[str] | None) -> Any:
    if given is None:
        if option.many:
            return ()
        return option.parse(option.default) if option.default else option.default
    if len(given) > 1 and not option.many:
        raise UsageError(f"`{text}`: `{option.name}` is given twice")
    try:
        values = tuple(option.parse(one) for one in given)
    except ValueError as error:
        raise UsageError(f"`{text}`: `{option.name}` wants {error}, not `{','.join(given)}`") from error
    return values if option.many else values[0]


def _receiver(spec: SinkSpec) -> tuple[str, str, int]:
    """(local|udp|tcp, path or host, port)."""
    if not spec.target or spec.target.startswith("/"):
        return "local", spec.target or "/dev/log", 0
    scheme, _, address = spec.target.partition("://")
    host, _, port = address.rpartition(":") if address.rpartition(":")[2].isdecimal() else (address, "", "514")
    host = host.removeprefix("[").removesuffix("]")
    if scheme not in ("udp", "tcp") or not host or not 0 < int(port) < 65536:
        raise UsageError(
            f"`{spec.text}` is no sink", hint="write syslog, syslog:/PATH, syslog:udp://HOST:PORT or syslog:tcp://HOST:PORT"
        )
    return scheme, host, int(port)


# --- opening ------------------------------------------------------------------------------------------------------------


def _stdout(spec: SinkSpec, tools: Tools) -> Blocking:
    from ruleng.sinks import stdout
    from ruleng.sinks.encode.formats import encoder

    if spec.kind == "text" or (spec.kind == "stdout" and stdout.wants_text()):
        encode = stdout.text_encoder(colour=stdout.wants_colour(tools.environ))
    else:
        encode = stdout.lines_of(encoder(spec.options.get("format", "falco"), tools.catalogue))
    return stdout.StdoutSink(spec.name, encode)


def _jsonl(spec: SinkSpec, tools: Tools) -> Blocking:
    from ruleng.sinks.encode.formats import encoder
    from ruleng.sinks.file import FileSink, Rotation

    options = spec.options
    rotation = Rotation(options["max_size"], options["rotate"], options["keep"], options["gzip"])
    encode = encoder(options["format"], tools.catalogue)
    return FileSink(spec.name, Path(spec.target), encode, tools, rotation=rotation, fsync_ns=options["fsync"])


def _sqlite(spec: SinkSpec, tools: Tools) -> Blocking:
    from ruleng.sinks.sqlite import SqliteSink

    options = spec.options
    return SqliteSink(
        spec.name,
        Path(spec.target),
        tools,
        max_age_ns=options["max_age"],
        max_rows=options["max_rows"],
        busy_s=options["busy"] / 10**9,
        full_sync=options["sync"] == "full",
    )


def _syslog(spec: SinkSpec, tools: Tools) -> Blocking:
    import os
    from functools import partial

    from ruleng.sinks import wires
    from ruleng.sinks.encode import journal, syslog
    from ruleng.sinks.syslog import SyslogSink

    options = spec.options
    if spec.kind == "journald":
        return SyslogSink(spec.name, wires.Journal(), lambda alert: (journal.encode(alert, app_name=options["app_name"]), False))
    kind, host, port = _receiver(spec)
    about = {name: options[name] for name in ("facility", "app_name", "max_size")}
    match kind:
        case "local":
            return SyslogSink(spec.name, wires.Local(Path(host)), partial(syslog.local, pid=os.getpid(), **about))
        case "udp":
            wire: wires.Wire = wires.Udp(host, port, f"sink.{spec.name}", tools.ledger)
        case _:
            wire = wires.Tcp(host, port)
    return SyslogSink(spec.name, wire, partial(syslog.rfc5424, pid=os.getpid(), **about))


def _http(spec: SinkSpec, tools: Tools) -> Sink:
    from ruleng.sinks.encode.formats import encoder
    from ruleng.sinks.http import HttpSink
    from ruleng.sinks.poster import parse

    options = spec.options
    about = {name: options[name] for name in ("bearer_env", "basic_env", "ca", "cert", "key", "insecure")}
    return HttpSink(
        spec.name,
        parse(spec.target, environ=tools.environ, headers=options["header"], **about),
        encoder(options["format"], tools.catalogue),
        tools,
        timeout_s=options["timeout"] / 10**9,
        spool=options["spool"],
        spool_bytes=options["spool_max"],
    )
