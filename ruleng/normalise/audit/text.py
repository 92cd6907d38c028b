"""Bodies of audit records: `key=value key="value" key=68657861`, the ENRICHED part behind \\x1d. Pure functions.

The kernel writes what a program could choose (names, paths, arguments) in quotes, or as upper-case hex when it holds a
blank, a quote or anything else that is not plain ASCII: so a quoted value of the kernel never holds a blank. Programs that
write messages (`msg='op=login acct="root"'`) keep to this as far as they use libaudit.
"""

from __future__ import annotations

import re
from binascii import unhexlify

ENRICHED = b"\x1d"
"""auditd puts it before what it adds with log_format=ENRICHED, see auditd.conf(5)."""

_ADDED = re.compile(rb'([A-Z][A-Z0-9_-]*)=(?:"([^"]*)"|([^ "]+))').findall
_NOTHING = frozenset({b"(null)", b"(none)", b"?", b""})
ENCODED = frozenset(
    (
        *(
            "acct",
            "cmd",
            "comm",
            "cwd",
            "data",
            "device",
            "dir",
            "exe",
            "file",
            "grp",
            "img_ctx",
            "key",
            "name",
            "new_disk",
            "new_group",
        ),
        *("ocomm", "old_disk", "path", "proctitle", "root_dir", "sw", "unit", "vm", "watch"),
    )
)
"""Keys whose value is hex when it is not quoted: AUPARSE_TYPE_ESCAPED of libauparse's typetab.h."""


def decode(value: bytes) -> str:
    """Bytes as text; no byte is lost."""
    return value.decode("utf-8", "surrogateescape")


def untrusted(value: bytes) -> str | None:
    """A value that a program chose: quoted, hex, or absent. Raises ValueError when it is none of these."""
    if value[:1] == b'"':
        if len(value) < 2 or value[-1:] != b'"':
            raise ValueError("a quote is not closed")
        return value[1:-1].decode("utf-8", "surrogateescape")
    if value in _NOTHING:
        return None
    try:
        return unhexlify(value).decode("utf-8", "surrogateescape")
    except ValueError:
        raise ValueError("a value is neither quoted nor hex") from None


def raw(body: bytes, key: bytes) -> bytes | None:
    """The value of the first `key=`, as it stands; None when there is none. For records whose values hold no blank."""
    size = len(key) + 1
    if body.startswith(key + b"="):
        start = size
    else:
        start = body.find(b" " + key + b"=")
        if start < 0:
            return None
        start += size + 1
    end = body.find(b" ", start)
    value = body[start:] if end < 0 else body[start:end]
    return value.partition(ENRICHED)[0]


def integer(text: bytes | str, base: int = 10) -> int:
    """Raises ValueError for what is no number, and for one that no register and no field holds."""
    try:
        value = int(text, base)
    except ValueError:
        raise ValueError("a number cannot be read") from None
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError("a number is beyond 64 bits")
    return value


def number(body: bytes, key: bytes, base: int = 10) -> int | None:
    """A number's value; None when the key is absent or says `?`. Raises ValueError for anything else."""
    value = raw(body, key)
    if value is None or value in _NOTHING:
        return None
    return integer(value, base)


def enriched(body: bytes) -> dict[str, str]:
    """The names that auditd added: {"UID": "root", "SYSCALL": "openat"}. Names of users are quoted, those of calls are not."""
    found: dict[str, str] = {}
    for key, quoted, plain in _ADDED(body.partition(ENRICHED)[2]):
        found.setdefault(decode(key), decode(quoted or plain))
    return found


def pairs(body: bytes) -> dict[str, str]:
    """Every key with its value in clear, the first one counting. For messages of programs, whatever they hold: never raises.

    `msg='...'` is opened; words without `=` belong to the value before them (`op=adding user`); a `-` in a key becomes
    `_`; `avc: denied { read } for` gives seresult and seperms. Hex is decoded for the keys that may be hex, and left as it
    stands when it is none.
    """
    body = body.partition(ENRICHED)[0]
    found: dict[str, str] = {}
    start = body.find(b"msg='")
    if start >= 0:
        header, message = body[:start], body[start + 5 :]
        end = message.rfind(b"'")
        _scan(header, found)
        body = message if end < 0 else message[:end]
    if body.lstrip().startswith(b"avc:"):
        body = _verdict(body, found)
    _scan(body, found)
    return found


def _verdict(body: bytes, found: dict[str, str]) -> bytes:
    head, brace, rest = body.partition(b"{")
    words = head.split()
    if len(words) > 1:
        found["seresult"] = decode(words[1])
    if not brace:
        return b" ".join(words[2:])
    permissions, _, rest = rest.partition(b"}")
    found["seperms"] = decode(b" ".join(permissions.split()))
    return rest.lstrip().removeprefix(b"for ")


_TOKENS = re.compile(rb'[ ,]*+(?:([^ =]*+)=(?:"([^"]*+)"?+|([^ ]*+))|([^ ]++))').findall


def _scan(text: bytes, found: dict[str, str]) -> None:
    last = ""
    for name, quoted, plain, word in _TOKENS(text):
        if word:
            if last:
                found[last] += " " + decode(word)
            continue
        key = decode(name).replace("-", "_")
        last = "" if key in found else key
        if last:
            found[key] = decode(quoted) if quoted else _clear(key, plain.rstrip(b","))


def _clear(key: str, value: bytes) -> str:
    if key in ENCODED and len(value) > 1 and value not in _NOTHING and value.upper() == value:
        try:
            return decode(unhexlify(value))
        except ValueError:
            return decode(value)
    return decode(value)
