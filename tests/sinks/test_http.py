"""POSTs to real local servers: decent, dead, slow, overloaded, refusing, cut off, with TLS and secrets; and the spool."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from ruleng.errors import SinkError, UsageError
from ruleng.sinks.backoff import Backoff
from ruleng.sinks.encode import falco
from ruleng.sinks.http import HttpSink
from ruleng.sinks.poster import parse
from tests.sinks.fakes import Bench
from tests.sinks.samples import alert, alerts
from tests.sinks.web import Act, WebServer, answer, drip, hang, raw, reset, then_close

FAST = {"first_s": 0.01, "limit_s": 0.02, "chance": lambda: 0.5}


@asynccontextmanager
async def sink_for(url: str, bench: Bench, **options: object) -> AsyncIterator[HttpSink]:
    address = parse(url, environ=bench.environ)
    sink = HttpSink("http", address, falco.encode, bench.tools, backoff=Backoff(**FAST), **options)  # type: ignore[arg-type]
    await sink.open()
    try:
        yield sink
    finally:
        await sink.close()


async def until_empty(sink: HttpSink) -> None:
    """Until the spool is."""
    async with asyncio.timeout(20):
        while sink.counters()["in_spool"]:  # noqa: ASYNC110 - the sink has no event for a test
            await asyncio.sleep(0.005)


def run(test: Awaitable[None]) -> None:
    async def main() -> None:
        await test

    asyncio.run(main())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_each_alert_is_one_request_over_one_connection(bench: Bench) -> None:
    async def test() -> None:
        with WebServer([answer()]) as server:
            async with sink_for(server.url + "in?x=1", bench) as sink:
                await sink.write(alerts(3))
                assert sink.counters()["alerts"] == 3
            assert server.numbers() == [0, 1, 2]
            assert server.connections == 1
            head = server.requests[0].head
            assert head.startswith("POST /in?x=1 HTTP/1.1\r\n")
            assert "Content-Type: application/json\r\n" in head
            assert server.requests[0].body == falco.encode(alert(0))

    run(test())


def test_falcosidekick_finds_what_it_checks_for(bench: Bench) -> None:
    """Its Check(): a priority, a rule, a time and at least one output field; and names it converts must be text or null."""

    async def test() -> None:
        with WebServer([answer()]) as server:
            async with sink_for(server.url, bench) as sink:
                await sink.write([alert(0, output_fields={"k8s.ns.name": None})])
            found = json.loads(server.requests[0].body)
            assert found["priority"] == "Warning"
            assert found["rule"] == "open_from_cat"
            assert found["time"] == "2016-08-04T16:17:57.881785348Z"
            assert found["output_fields"] == {"evt.time": 1470327477881785348, "k8s.ns.name": None}

    run(test())


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (answer("500 Internal Server Error"), "500 Internal Server Error"),
        (answer("503 Service Unavailable"), "503 Service Unavailable"),
        (answer("429 Too Many Requests"), "429 Too Many Requests"),
        (answer("401 Unauthorized"), "401 Unauthorized"),
        (answer("301 Moved Permanently", headers="Location: /new\r\n"), "301 Moved"),
        (raw(b""), "closed the connection without an answer"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "not an answer of a web server"),
        (raw(b"HTTP/1.1 2"), "not an answer of a web server: BadStatusLine"),
        (reset(), "Connection reset by peer|Broken pipe"),
        (reset(b"HTTP/1.1 200 OK\r\nContent-Le"), "Connection reset by peer|Broken pipe|not an answer"),
    ],
)
def test_what_another_time_may_mend_is_an_error_that_keeps_the_alerts(bench: Bench, act: Act, message: str) -> None:
    async def test() -> None:
        # twice, since a connection that fails before any answer is tried once more at once: it may have been idle too long
        with WebServer([answer(), act, act, answer()]) as server:
            async with sink_for(server.url, bench) as sink:
                with pytest.raises(SinkError, match=message) as raised:
                    await sink.write(alerts(3))
                assert raised.value.taken == 1
                server.acts[:] = [answer()]
                await sink.write(alerts(2, 1))
            assert server.numbers()[-2:] == [1, 2]
            assert not bench.ledger.losses

    run(test())


def test_a_dead_endpoint_is_a_clear_error(bench: Bench) -> None:
    async def test() -> None:
        port = free_port()
        async with sink_for(f"http://127.0.0.1:{port}/", bench) as sink:
            with pytest.raises(SinkError, match=rf"http: http://127.0.0.1:{port}/: Connection refused"):
                await sink.write(alerts(1))
        async with sink_for("http://no-such-host.invalid/", bench) as sink:
            with pytest.raises(SinkError, match=r"no-such-host.invalid:80/: "):
                await sink.write(alerts(1))

    run(test())


@pytest.mark.parametrize("act", [hang, drip])
def test_a_slow_endpoint_is_given_up_after_the_timeout(bench: Bench, act: Act) -> None:
    async def test() -> None:
        with WebServer([act, answer()]) as server:
            async with sink_for(server.url, bench, timeout_s=0.2) as sink:
                with pytest.raises(SinkError, match="no answer in time"):
                    await sink.write(alerts(1))
                while not sink.counters()["alerts"]:
                    with suppress(SinkError):  # on a busy machine 0.2 s may be short for a good answer, too
                        await sink.write(alerts(1, 1))
            assert server.numbers()[:2] == [0, 1]

    run(test())


@pytest.mark.parametrize("status", ["400 Bad Request", "413 Content Too Large", "422 Unprocessable Content"])
def test_an_alert_that_is_refused_is_counted_and_the_next_one_goes(bench: Bench, status: str) -> None:
    async def test() -> None:
        with WebServer([answer(), answer(status, b"Please send a valid request body"), answer()]) as server:
            async with sink_for(server.url, bench) as sink:
                await sink.write(alerts(3))
                assert sink.counters() == {"alerts": 2, "bytes": 2 * len(falco.encode(alert(0))), "refused": 1} | {
                    "errors": 0,
                    "spooled": 0,
                }
            assert bench.ledger.losses == {("sink.http", f"the receiver refused it: {status}"): 1}
            assert bench.ledger.samples == ["Please send a valid request body"]

    run(test())


def test_a_connection_that_the_server_closed_meanwhile_is_no_error(bench: Bench) -> None:
    async def test() -> None:
        with WebServer([then_close(answer())]) as server:
            async with sink_for(server.url, bench) as sink:
                for number in range(3):
                    await sink.write(alerts(1, number))
            assert server.numbers() == [0, 1, 2]
            assert server.connections == 3

    run(test())


def test_an_endpoint_that_asks_to_wait_is_left_alone_so_long(bench: Bench) -> None:
    async def test() -> None:
        with WebServer([answer("429 Too Many Requests", headers="Retry-After: 30\r\n"), answer()]) as server:
            async with sink_for(server.url, bench) as sink:
                for _ in range(2):
                    with pytest.raises(SinkError):
                        await sink.write(alerts(1))
                assert len(server.requests) == 1
                bench.clock.pass_s(31)
                await sink.write(alerts(1))
                assert len(server.requests) == 2

    run(test())


def test_an_answer_counts_when_its_status_is_there(bench: Bench) -> None:
    async def test() -> None:
        with WebServer([raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), answer()]) as server:
            async with sink_for(server.url, bench) as sink:
                await sink.write(alerts(2))
            assert server.numbers() == [0, 1]

    run(test())


def test_a_long_answer_is_not_read_to_its_end(bench: Bench) -> None:
    async def test() -> None:
        with WebServer([answer(body=b"x" * 10_000_000), answer()]) as server:
            async with sink_for(server.url, bench) as sink:
                await sink.write(alerts(2))
            assert server.numbers() == [0, 1]

    run(test())


# --- the spool ----------------------------------------------------------------------------------------------------------


def test_what_a_dead_endpoint_misses_is_spooled_and_delivered_in_order(bench: Bench, tmp_path: Path) -> None:
    async def test() -> None:
        with WebServer([answer(), answer("503 Service Unavailable"), answer("503 Service Unavailable"), answer()]) as server:
            async with sink_for(server.url, bench, spool=tmp_path / "spool") as sink:
                await sink.write(alerts(3))
                await sink.write(alerts(3, 3))
                await until_empty(sink)
                await sink.write(alerts(1, 6))
            accepted = server.numbers()[3:]
            assert [0, *accepted] == [0, 1, 2, 3, 4, 5, 6]
            assert bench.reports == [
                f"http: {server.url[:-1]}/: 503 Service Unavailable; alerts go to the spool {tmp_path / 'spool'}",
                "http: works again, the spool is empty",
            ]
            assert not bench.ledger.losses

    run(test())


def test_the_spool_outlives_the_process(bench: Bench, tmp_path: Path) -> None:
    async def test() -> None:
        port = free_port()
        async with sink_for(f"http://127.0.0.1:{port}/", bench, spool=tmp_path / "spool") as sink:
            await sink.write(alerts(3))
            assert sink.counters()["in_spool"] == 3
        with WebServer([answer()]) as server:
            async with sink_for(server.url, bench, spool=tmp_path / "spool") as sink:
                await sink.write(alerts(2, 3))
                await until_empty(sink)
            assert server.numbers() == [0, 1, 2, 3, 4]
            assert bench.reports[1] == f"http: 3 alerts of an earlier run are in the spool {tmp_path / 'spool'}"

    run(test())


def test_a_full_spool_says_how_many_alerts_were_taken(bench: Bench, tmp_path: Path) -> None:
    async def test() -> None:
        with WebServer([answer(), answer("503 Service Unavailable")]) as server:
            room = 2 * (len(falco.encode(alert(0))) + 8) + 10
            async with sink_for(server.url, bench, spool=tmp_path / "spool", spool_bytes=room) as sink:
                with pytest.raises(SinkError, match="the spool is full") as raised:
                    await sink.write(alerts(9))
                assert raised.value.taken == 3  # one is delivered, two are spooled
                assert "spool_max=" in (raised.value.hint or "")
                server.acts[:] = [answer()]
                await until_empty(sink)
                await sink.write(alerts(6, 3))
            assert [number for number in server.numbers() if number != 1] == [0, 2, 3, 4, 5, 6, 7, 8]

    run(test())


def test_a_refused_alert_in_the_spool_does_not_stop_it(bench: Bench, tmp_path: Path) -> None:
    async def test() -> None:
        with WebServer([answer("503 Service Unavailable"), answer("400 Bad Request"), answer()]) as server:
            async with sink_for(server.url, bench, spool=tmp_path / "spool") as sink:
                await sink.write(alerts(2))
                await until_empty(sink)
            assert server.numbers() == [0, 0, 1]
            assert sum(bench.ledger.losses.values()) == 1

    run(test())


def test_a_spool_in_use_is_a_clear_error(bench: Bench, tmp_path: Path) -> None:
    async def test() -> None:
        async with sink_for("http://127.0.0.1:1/", bench, spool=tmp_path / "spool"):
            with pytest.raises(SinkError, match="another process has this spool"):
                async with sink_for("http://127.0.0.1:1/", bench, spool=tmp_path / "spool"):
                    raise AssertionError

    run(test())


def test_closing_does_not_wait_for_an_endpoint_that_hangs(bench: Bench, tmp_path: Path) -> None:
    async def test() -> None:
        with WebServer([answer("503 Service Unavailable"), hang]) as server:
            async with sink_for(server.url, bench, spool=tmp_path / "spool", timeout_s=60) as sink:
                await sink.write(alerts(1))
                await asyncio.to_thread(server.wait_for, 2)
            assert not server.released.is_set()

    run(test())


# --- who we are, and who they are -----------------------------------------------------------------------------------------


def test_secrets_come_from_the_environment(bench: Bench) -> None:
    environ = {"TOKEN": "s3cret", "LOGIN": "me:pass"}
    bearer = parse("http://h/", environ=environ, bearer_env="TOKEN", headers=["X-Org: acme"])
    assert bearer.headers["Authorization"] == "Bearer s3cret"
    assert bearer.headers["X-Org"] == "acme"
    assert "s3cret" not in repr(bearer)
    basic = parse("http://h/", environ=environ, basic_env="LOGIN")
    assert basic.headers["Authorization"] == "Basic " + base64.b64encode(b"me:pass").decode()


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("ftp://h/", {}, "no address of a web server"),
        ("http:///path", {}, "no address"),
        ("http://h:99999/", {}, "no address"),
        ("http://h:x/", {}, "no address"),
        ("http://h/a b", {}, "no address"),
        ("http://h/a\r\nX: y", {}, "no address"),
        ("http://[::1/", {}, "no address"),
        ("http://me:pass@h/", {}, "a password in a URL shows in the list of processes"),
        ("http://h/", {"bearer_env": "NOT_SET"}, "NOT_SET is not set"),
        ("http://h/", {"bearer_env": "BAD"}, "BAD has characters that no header takes"),
        ("http://h/", {"headers": ["no colon"]}, "`no colon` is no HTTP header"),
        ("http://h/", {"headers": ["X: a\r\nY: b"]}, "is no HTTP header"),
        ("https://h/", {"ca": Path("/no/such.pem")}, "/no/such.pem: No such file"),
    ],
)
def test_an_address_that_cannot_be_is_refused_at_once(url: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(url, environ={"BAD": "a\nb"}, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run(["openssl", "req", "-x509", *kind, *name, *files], check=True, capture_output=True)
    (folder / "both").write_text((folder / "key").read_text() + (folder / "cert").read_text())
    return folder / "both"


def tls_server(certificate: Path, *, ask: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if ask:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    return context


def test_tls_with_a_certificate_of_our_own(bench: Bench, certificate: Path) -> None:
    async def test() -> None:
        with WebServer([answer()], tls=tls_server(certificate, ask=True)) as server:
            address = parse(server.url, environ={}, ca=certificate, cert=certificate)
            sink = HttpSink("http", address, falco.encode, bench.tools)
            await sink.write(alerts(2))
            await sink.close()
            assert server.numbers() == [0, 1]
            assert server.connections == 1

    run(test())


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(bench: Bench, certificate: Path) -> None:
    async def test() -> None:
        with WebServer([answer()], tls=tls_server(certificate)) as server:
            async with sink_for(server.url, bench) as sink:
                with pytest.raises(SinkError, match="its certificate is not trusted: self-signed certificate"):
                    await sink.write(alerts(1))
            assert server.requests == []
            sink = HttpSink("http", parse(server.url, environ={}, insecure=True), falco.encode, bench.tools)
            await sink.write(alerts(1))
            await sink.close()
            assert server.numbers() == [0]

    run(test())
