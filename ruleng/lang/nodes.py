"""YAML text to nodes that know their place in it.

In: a Source. Out: a node a document, and the first problem of the text, if any. Nothing here knows what the nodes mean.

Built from libyaml's events and without recursion, so that no depth of nesting ends the process. Aliases are followed; what
they would multiply is counted before anybody walks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, overload

import yaml

from ruleng.lang.ast import Name
from ruleng.lang.source import Piece, Source, Span

MAX_DEPTH = 100
"""Levels of nesting; a rule file has eight."""
MAX_REPEATED = 1_000_000
"""Nodes that aliases may add to those written."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML built without libyaml has only the second; both give marks
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(slots=True, eq=False)
class Scalar:
    """A text. `style` is YAML's: empty for plain, a quote, `|` or `>`."""

    text: str
    start: int
    end: int
    style: str = ""
    null: bool = False


@dataclass(slots=True, eq=False)
class Sequenced:
    items: list[Node]
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Mapped:
    """A mapping; of a key written twice the first counts, as yaml-cpp has it."""

    entries: dict[str, tuple[Scalar, Node]]
    start: int
    end: int
    again: list[Scalar] = field(default_factory=list)  # keys written once more
    odd: list[Node] = field(default_factory=list)  # keys that are no text

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return None if entry is None else entry[1]


Node = Scalar | Sequenced | Mapped


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the text is no YAML, or more than one wants to read, and where."""

    message: str
    offset: int


def compose(source: Source) -> tuple[list[Node], Problem | None]:
    """The documents of a text. With a problem, only those that end before it."""
    documents: list[Node] = []
    try:
        documents.extend(_documents(yaml.parse(source.text, Loader=_LOADER)))  # keeps those before an error
    except _RefusedError as error:
        return documents, Problem(str(error), error.offset)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text = " ".join(part for part in (error.problem, error.context) if part)
        return documents, Problem(text or "not valid YAML", _at(mark))
    except yaml.reader.ReaderError as error:
        char = chr(error.character) if isinstance(error.character, int) else error.character
        # libyaml counts bytes, PyYAML's own reader characters: the first such character is the one
        return documents, Problem(f"character {ord(char):#06x} may not stand in YAML", max(0, source.text.find(char)))
    except UnicodeEncodeError as error:
        return documents, Problem("a half of a surrogate pair may not stand in YAML", error.start)
    return documents, None


class _Mark(Protocol):
    """Of either of PyYAML's parsers: characters from the start."""

    @property
    def index(self) -> int: ...


class _RefusedError(Exception):
    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(slots=True, eq=False)
class _Open:
    """A collection whose end has not come. `weight` counts its nodes, those behind aliases each time."""

    node: Sequenced | Mapped
    anchor: str | None
    weight: int = 1
    key: Node | None = None

    def add(self, node: Node) -> None:
        if isinstance(self.node, Sequenced):
            self.node.items.append(node)
        elif self.key is None:
            self.key = node
        else:
            key, self.key = self.key, None
            if not isinstance(key, Scalar):
                self.node.odd.append(key)
            elif key.text in self.node.entries:
                self.node.again.append(key)
            else:
                self.node.entries[key.text] = (key, node)


def _documents(events: Iterator[yaml.Event]) -> Iterator[Node]:
    anchors: dict[str, tuple[Node, int]] = {}
    stack: list[_Open] = []
    written = 0
    for event in events:
        match event:
            case yaml.DocumentStartEvent():
                anchors.clear()
                written = 0
                continue
            case yaml.ScalarEvent():
                written += 1
                node: Node = _scalar(event)
                weight, anchor = 1, event.anchor
            case yaml.AliasEvent():
                if event.anchor not in anchors:
                    raise _RefusedError(f"nothing has the anchor `{event.anchor}`", _at(event.start_mark))
                (node, weight), anchor = anchors[event.anchor], None
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                written += 1
                if len(stack) == MAX_DEPTH:
                    raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels", _at(event.start_mark))
                start = _at(event.start_mark)
                is_map = isinstance(event, yaml.MappingStartEvent)
                stack.append(_Open(Mapped({}, start, start) if is_map else Sequenced([], start, start), event.anchor))
                continue
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                opened = stack.pop()
                node, weight, anchor = opened.node, opened.weight, opened.anchor
                opened.node.end = _at(event.end_mark)
            case _:
                continue
        if anchor is not None:
            anchors[anchor] = (node, weight)
        if not stack:
            yield node
            continue
        stack[-1].weight += weight
        if stack[-1].weight > written + MAX_REPEATED:
            raise _RefusedError(f"aliases repeat more than {MAX_REPEATED} values", _at(event.start_mark))
        stack[-1].add(node)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    style = event.style or ""
    null = not style and event.implicit[0] and event.value in _NULLS
    return Scalar(event.value, _at(event.start_mark), _at(event.end_mark), style, null)


def _at(mark: _Mark | None) -> int:
    return 0 if mark is None else mark.index


# --- places -----------------------------------------------------------------------------------------------------------


def span_of(source: Source, node: Node) -> Span:
    """Where a node is written; of a collection its first line at most, of a block scalar its header."""
    start, end = node.start, node.end
    if not isinstance(node, Scalar) or node.style in {"|", ">"}:
        line_end = source.text.find("\n", start)
        end = min(end, line_end if line_end >= 0 else end)
    return Span(source, start, start + len(source.text[start:end].rstrip()))


def source_of(source: Source, scalar: Scalar) -> Source:
    """A scalar's text as a Source of its own that leads back to the file, character by character."""
    return Source(source.name, scalar.text, (Piece(0, source, _offsets(source, scalar)),))


def name_of(source: Source, scalar: Scalar) -> Name:
    """A scalar's text with its place."""
    length = len(scalar.text)
    offsets = _offsets(source, scalar)
    if isinstance(offsets, range):
        return Name(scalar.text, Span(source, offsets.start, offsets.stop))
    return Name(scalar.text, Span(Source(source.name, scalar.text, (Piece(0, source, offsets),)), 0, length))


def trimmed_name(name: Name) -> Name:
    """Without blanks at its ends."""
    text = name.text.strip()
    start = name.span.start + len(name.text) - len(name.text.lstrip())
    return Name(text, Span(name.span.source, start, start + len(text)))


def _offsets(source: Source, scalar: Scalar) -> Sequence[int]:
    text, start, length = source.text, scalar.start, len(scalar.text)
    if scalar.style in {"'", '"'}:
        start += 1
    if text.startswith(scalar.text, start) and start + length <= scalar.end and scalar.style not in {"|", ">"}:
        return range(start, start + length)
    return Aligned(source, scalar)


class Aligned(Sequence[int]):
    """Where each character of a scalar stands in its file. Found out when first asked: most scalars are never complained of."""

    __slots__ = ("_found", "_scalar", "_source")

    def __init__(self, source: Source, scalar: Scalar) -> None:
        self._source = source
        self._scalar = scalar
        self._found: list[int] | None = None

    def __len__(self) -> int:
        return len(self._scalar.text)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if self._found is None:
            self._found = align(self._source.text, self._scalar)
        return self._found[index]


def align(text: str, scalar: Scalar) -> list[int]:
    """For each character of the scalar's value its offset in `text`.

    YAML changes only blanks (folding, indentation) and, in quotes, escapes; every other character of the value stands in the
    file in the same order. A blank that folding made stands where the line broke.
    """
    at = _content_start(text, scalar)
    end = scalar.end
    found: list[int] = []
    for char in scalar.text:
        if scalar.style == '"':
            at = _past_joined_lines(text, at, end)
        if not char.isspace():
            while at < end and text[at].isspace():
                at += 1
            if scalar.style == '"':
                at = _past_joined_lines(text, at, end)
        here = text[at] if at < end else ""
        found.append(min(at, end))
        if scalar.style == '"' and here == "\\":
            at += {"x": 4, "u": 6, "U": 10}.get(text[at + 1 : at + 2], 2)  # \xHH, \uHHHH, \UHHHHHHHH, else one character
        elif (scalar.style == "'" and here == "'") or text.startswith("\r\n", at):
            at += 2
        elif here == char or here.isspace():
            at += 1
    return found


def _content_start(text: str, scalar: Scalar) -> int:
    """Past the anchor and tag, and past the quote or the line of a block's indicator."""
    at = scalar.start
    while at < scalar.end and text[at] in "&!":
        while at < scalar.end and not text[at].isspace():
            at += 1
        while at < scalar.end and text[at].isspace():
            at += 1
    if scalar.style in {"|", ">"}:
        line_end = text.find("\n", at)
        return scalar.end if line_end < 0 else line_end + 1
    return at + 1 if scalar.style else at


def _past_joined_lines(text: str, at: int, end: int) -> int:
    """Past backslashes that end a line in double quotes, and the next line's indentation."""
    while text.startswith(("\\\n", "\\\r"), at):
        at += 1
        while at < end and text[at].isspace():
            at += 1
    return at
