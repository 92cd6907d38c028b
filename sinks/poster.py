"""One POST after the other to one HTTP(S) address, over one connection. Blocks; runs on a thread of its own.

The standard library's http.client on a thread, rather than our own HTTP over asyncio streams: what comes back is input of a
stranger, and http.client parses it with limits that have been tested for years; a thread costs nothing beside a round trip.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ruleng import __version__
from ruleng.errors import UsageError

_BODY_MAX = 1 << 16  # of an answer; more, and the connection is not worth keeping
_SAMPLE = 200
_RETRY = frozenset({408, 425, 429})  # client errors that another time may mend, RFC 9110, RFC 6585, RFC 8470
_HINTS = {
    401: "check the credentials: bearer_env= or basic_env=",
    403: "check the credentials: bearer_env= or basic_env=",
    404: "check the path of the URL",
    405: "this address takes no POST: check the URL",
}
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\x20-\x7e]*)")  # RFC 9110 section 5
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class RefusedError(Exception):
    """The receiver will never take this body; `sample` is what it said."""

    def __init__(self, status: int, reason: str, sample: str) -> None:
        super().__init__(f"the receiver refused it: {status} {reason}")
        self.sample = sample


class LaterError(Exception):
    """The receiver cannot take it now; not before `after_s` where it said so."""

    def __init__(self, message: str, *, hint: str | None = None, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.hint = hint
        self.after_s = after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to, and how to show who we are; `parse` makes it of what the user gave."""

    scheme: str
    host: str
    port: int
    target: str
    headers: Mapping[str, str] = field(repr=False)  # with secrets
    tls: ssl.SSLContext | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.target.partition('?')[0]}"


def parse(
    url: str,
    *,
    environ: Mapping[str, str],
    headers: Sequence[str] = (),
    bearer_env: str | None = None,
    basic_env: str | None = None,
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    insecure: bool = False,
) -> Address:
    """Raises UsageError. Secrets come from the environment: a command line is for everybody to read."""
    parts = _split(url)
    told = {"Content-Type": "application/json", "User-Agent": f"ruleng/{__version__}"}
    for header in headers:
        match = _HEADER.fullmatch(header)
        if match is None:
            raise UsageError(f"`{header}` is no HTTP header", hint="write NAME:VALUE")
        told[match[1]] = match[2]
    if bearer_env is not None:
        told["Authorization"] = f"Bearer {_secret(environ, bearer_env)}"
    if basic_env is not None:
        told["Authorization"] = f"Basic {base64.b64encode(_secret(environ, basic_env).encode()).decode()}"
    return Address(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or (443 if parts.scheme == "https" else 80),
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=told,
        tls=_tls(ca, cert, key, insecure=insecure) if parts.scheme == "https" else None,
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        well = False
    if not well or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"`{url}` is no address of a web server", hint="write http://HOST:PORT/PATH or https://...")
    if parts.username is not None:
        raise UsageError(
            "a password in a URL shows in the list of processes", hint="put USER:PASSWORD into a variable and name it: basic_env="
        )
    return parts


def _secret(environ: Mapping[str, str], name: str) -> str:
    secret = environ.get(name, "")
    if not secret or not secret.isascii() or not secret.isprintable():
        raise UsageError(f"the environment variable {name} {'has characters that no header takes' if secret else 'is not set'}")
    return secret


def _tls(ca: Path | None, cert: Path | None, key: Path | None, *, insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        if cert is not None:
            context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(path) for path in (ca, cert, key) if path is not None)
        raise UsageError(f"{files}: {error.strerror or error}", hint="ca=, cert= and key= name PEM files") from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Poster:
    def __init__(self, address: Address, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._used = False
        self._aborted = False

    def post(self, body: bytes) -> None:
        """Raises LaterError or RefusedError. A body may arrive twice: who never hears the answer must send again."""
        self._aborted = False
        try:
            try:
                answer = self._exchange(body)
            except _STALE:
                if not self._used or self._aborted:
                    raise
                self.close()  # the server had closed the connection between two requests: that says nothing about it
                answer = self._exchange(body)
            self._judge(answer)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LaterError(f"{self._address}: {_say(error)}") from error

    def abort(self) -> None:
        """From another thread: ends the exchange that is going on."""
        self._aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._used = False

    def _exchange(self, body: bytes) -> http.client.HTTPResponse:
        address = self._address
        if self._connection is None:
            if address.tls is None:
                self._connection = http.client.HTTPConnection(address.host, address.port, timeout=self._timeout_s)
            else:
                self._connection = http.client.HTTPSConnection(
                    address.host, address.port, timeout=self._timeout_s, context=address.tls
                )
        self._connection.request("POST", address.target, body, dict(address.headers))
        return self._connection.getresponse()

    def _judge(self, answer: http.client.HTTPResponse) -> None:
        said = answer.read(_BODY_MAX)
        if answer.read(1) or answer.will_close:
            self.close()
        else:
            self._used = True
        status, reason = answer.status, answer.reason
        if 200 <= status < 300:
            return
        if status in _RETRY or status in _HINTS or not 400 <= status < 500:
            moved = answer.headers.get("Location") if 300 <= status < 400 else None
            hint = f"it has moved: give the sink the address {moved}" if moved else _HINTS.get(status)
            raise LaterError(f"{self._address}: {status} {reason}", hint=hint, after_s=_after_s(answer))
        raise RefusedError(status, reason, said[:_SAMPLE].decode("utf-8", "replace"))


def _after_s(answer: http.client.HTTPResponse) -> float:
    """Retry-After in seconds, within reason; a date there is left to our own backoff."""
    said = answer.headers.get("Retry-After", "")
    return min(float(said), 300.0) if said.isdecimal() else 0.0


def _say(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, http.client.HTTPException):
        return f"not an answer of a web server: {error!r}"
    return error.strerror or str(error)
