"""Parameters that somebody gave, `evt.arg.NAME` in words or `evt.rawarg.NAME`: words to values, values to their places."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from ruleng.abi.words import capability_bits, error_number, signal_number
from ruleng.fields import params, words
from ruleng.fields.arguments import AT_FDCWD
from ruleng.fields.draft import Draft
from ruleng.fields.params import Param
from ruleng.fields.types import FieldType
from ruleng.fields.values import Json, from_json, text_of


@lru_cache(maxsize=4096)  # of a pure function, for every parameter of every event of a recording
def parameter(event_type: str, arg: str, *, raw: bool) -> Param | str:
    """The parameter of a name or place; its name alone where a source may know more than the table: raw, and audit's own events."""
    table = params.event_type(event_type)
    if arg.isdecimal() and int(arg) < len(table.params):
        return table.params[int(arg)]
    if (param := table.get(arg)) is not None:
        return param
    if raw or event_type in params.AUDIT_TYPES:
        return arg
    near = get_close_matches(arg, [param.name for param in table.params], n=1)
    has = ", ".join(param.name for param in table.params)
    raise ValueError(f"is no parameter of `{event_type}`, {f'did you mean `{near[0]}`?' if near else f'which has {has}'}")


def put_argument(draft: Draft, param: Param | str, given: Json, *, raw: bool) -> None:
    if isinstance(param, str):
        draft.args[param] = from_json(given, FieldType.DYNAMIC)
        return
    value = from_json(given, FieldType.DYNAMIC) if raw or not isinstance(given, str) else _value_of_words(param, given)
    match param.kind.role:
        case _ if value is None:
            draft.extra[f"evt.arg.{param.name}"] = text_of(given)
        case "result" | "newfd" if isinstance(value, int):
            draft.default("event", "result", value)
        case "fd" if isinstance(value, int):
            draft.default("event", "fd_num", value)
        case "path" if isinstance(value, str) and not raw and value.startswith("/") and param.kind.slot is not None:
            draft.args.setdefault(param.name, value)
            draft.default("paths", param.kind.slot, value)
        case "bytes" if isinstance(value, str):
            draft.args[param.name] = value.encode("utf-8", "surrogateescape")
        case "number" | "result" | "newfd" | "fd" | "otherfd" if not isinstance(value, int):
            raise ValueError(f"wants a number, got {given!r}")
        case _:
            draft.args[param.name] = value


def _value_of_words(param: Param, text: str) -> Any:
    """The value that the words of a parameter stand for; None for words from which it cannot be told: a user's name."""
    match param.kind.role:
        case "text" | "path" | "bytes":
            return text
        case "texts":
            return None
        case "result" | "newfd":
            number = error_number(text)
            return -number if number is not None else 0 if text == "SUCCESS" else _decimal(text)
        case "fd" | "otherfd" if param.kind.words is None:
            return _decimal(text)
        case _:
            return _number_of_words(param, text)


def _number_of_words(param: Param, text: str) -> int | None:
    match param.kind.words:
        case "hex":
            return _in_base(text, 16)
        case "octal":
            return _in_base(text, 8)
        case "dirfd":
            return AT_FDCWD if text == "AT_FDCWD" else _decimal(text)
        case "error":
            number = error_number(text)
            return _decimal(text) if number is None else -number
        case "signal":
            return signal_number(text)
        case "capabilities":
            return capability_bits(text)
        case "pid" | "uid" | "gid" | None:
            return _decimal(text)
        case table:
            number = words.table(table).number(text)
            if number is None:
                raise ValueError(f"has a word that is unknown here: {text!r}")
            return number


def _decimal(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None


def _in_base(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ValueError(f"wants a number of base {base}, got {text!r}") from None
