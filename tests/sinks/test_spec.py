"""What a user may write for a sink, what becomes of it, and what every mistake is told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ruleng.alert import Priority
from ruleng.errors import UsageError
from ruleng.sinks.kinds import KINDS, help_text, markdown
from ruleng.sinks.spec import SinkSpec, name_apart, open_sink, parse_spec
from tests.sinks.fakes import Bench
from tests.sinks.samples import alert, alerts

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "kind", "target", "options"),
    [
        ("text", "text", "", {}),
        ("json", "json", "", {"format": "falco"}),
        ("json?format=ecs", "json", "", {"format": "ecs"}),
        ("jsonl:/var/log/a.jsonl?max_size=100MB&keep=7", "jsonl", "/var/log/a.jsonl", {"max_size": 100_000_000, "keep": 7}),
        ("jsonl:a?gzip&rotate=1d", "jsonl", "a", {"gzip": True, "rotate": 86400 * SECOND, "max_size": None}),
        ("jsonl:what%3F%25.jsonl", "jsonl", "what?%.jsonl", {}),
        ("jsonl:a:b#c", "jsonl", "a:b#c", {}),
        ("jsonl:a?fsync=never", "jsonl", "a", {"fsync": None}),
        ("jsonl:a?fsync=alert", "jsonl", "a", {"fsync": 0}),
        ("jsonl:a?fsync=5s", "jsonl", "a", {"fsync": 5 * SECOND}),
        ("sqlite:a.db?max_age=30d&max_rows=5", "sqlite", "a.db", {"max_age": 30 * 86400 * SECOND, "max_rows": 5}),
        ("syslog", "syslog", "", {"facility": 10, "app_name": "ruleng", "max_size": 8192}),
        ("syslog?facility=local7", "syslog", "", {"facility": 23}),
        ("syslog:/run/log", "syslog", "/run/log", {}),
        ("syslog:udp://h", "syslog", "udp://h", {}),
        ("syslog:tcp://[::1]:601?max_size=2KiB", "syslog", "tcp://[::1]:601", {"max_size": 2048}),
        ("journald", "journald", "", {"app_name": "ruleng"}),
        ("http:http://h:2801/x?y=1&z", "http", "http://h:2801/x?y=1&z", {"timeout": 10 * SECOND, "header": ()}),
        ("http://h/%20#timeout=500ms&header=A: b&header=C:%26", "http", "http://h/%20", {"header": ("A: b", "C:&")}),
        ("https://h/#insecure&spool=/var/spool/r", "http", "https://h/", {"insecure": True, "spool": Path("/var/spool/r")}),
    ],
)
def test_a_spec(text: str, kind: str, target: str, options: dict[str, object]) -> None:
    spec = parse_spec(text)
    assert (spec.kind, spec.target, spec.name) == (kind, target, kind)
    assert {key: spec.options[key] for key in options} == options
    assert spec.text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`` is no sink"),
        ("jsnol:x", "`jsnol:x` is no sink, did you mean `jsonl`?"),
        ("file", "`file` is no sink"),
        ("jsonl", "`jsonl` is no sink: write jsonl:FILE"),
        ("jsonl:?keep=1", "write jsonl:FILE"),
        ("sqlite:", "write sqlite:FILE"),
        ("http", "write http:URL"),
        ("text:x", "nothing follows `text`"),
        ("journald:/x", "nothing follows `journald`"),
        ("kafka:alerts@h:9092", "this ruleng cannot send alerts to Kafka yet"),
        ("syslog:h:514", "`syslog:h:514` is no sink"),
        ("syslog:udp://h:0", "is no sink"),
        ("syslog:udp://:514", "is no sink"),
        ("jsonl:a?kep=1", "jsonl has no option `kep`, did you mean `keep`?"),
        ("text?format=ecs", "text has no option `format`"),
        ("jsonl:a?keep=1&keep=2", "`keep` is given twice"),
        ("jsonl:a?keep=many", "`keep` wants a whole number, not `many`"),
        ("jsonl:a?max_size=10XB", "`max_size` wants a size such as 512KiB, 100MB, 1GB, not `10XB`"),
        ("jsonl:a?rotate=0s", "`rotate` wants a duration above 0"),
        ("jsonl:a?fsync=sometimes", "`fsync` wants never, alert, or an interval such as 5s"),
        ("jsonl:a?gzip=maybe", "`gzip` wants true or false"),
        ("jsonl:a?format=xml", "`format` wants one of falco, ecs, ocsf"),
        ("jsonl:a?priority=loud", "`priority` wants one of emergency, alert"),
        ("jsonl:a?name=a b", "`name` wants letters, digits"),
        ("sqlite:a?max_rows=0", "`max_rows` wants a whole number, 1 or more"),
        ("syslog?facility=local9", "`facility` wants one of kern, user"),
        ("syslog?app_name=a b", "`app_name` wants a name of at most 48"),
    ],
)
def test_a_mistake_in_a_spec(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_spec(text)
    assert message in str(raised.value)


def test_configuration_says_options_and_the_text_goes_before_it() -> None:
    spec = parse_spec("jsonl:a?keep=3", options={"keep": 9, "gzip": True, "max_size": "1MB"}, name="soc", priority="warning")
    assert (spec.options["keep"], spec.options["gzip"], spec.options["max_size"]) == (3, True, 10**6)
    assert (spec.name, spec.priority) == ("soc", Priority.WARNING)
    assert parse_spec("http:http://h/", options={"header": ["A: b", "C: d"]}).options["header"] == ("A: b", "C: d")


def test_names_are_told_apart() -> None:
    specs = [parse_spec(text) for text in ("jsonl:a", "jsonl:b", "jsonl:c?name=soc", "text", "jsonl:d")]
    assert [spec.name for spec in name_apart(specs)] == ["jsonl", "jsonl-2", "soc", "text", "jsonl-3"]
    with pytest.raises(UsageError, match="two sinks are called `soc`"):
        name_apart([parse_spec("text?name=soc"), parse_spec("json?name=soc")])


def deliver(spec: SinkSpec, bench: Bench) -> dict[str, int]:
    async def run() -> dict[str, int]:
        sink = open_sink(spec, bench.tools)
        await sink.open()
        await sink.write(alerts(2))
        await sink.close()
        return dict(sink.counters())

    return asyncio.run(run())


def test_specs_open_the_sinks_they_name(bench: Bench, tmp_path: Path) -> None:
    for text in (
        "jsonl:{}/a.jsonl?max_size=1&gzip&fsync=1s",
        "jsonl:{}/b.jsonl?fsync=alert",
        "sqlite:{}/a.db?max_rows=9&sync=full",
    ):
        assert deliver(parse_spec(text.format(tmp_path)), bench)["alerts"] == 2
    assert len((tmp_path / "b.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http:localhost:2801", "no address of a web server"),
        ("http://h/#bearer_env=NO_SUCH", "NO_SUCH is not set"),
        ("https://h/#ca=/no/such.pem", "No such file"),
    ],
)
def test_what_is_missing_is_told_before_anything_runs(bench: Bench, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_sink(parse_spec(text), bench.tools)


def test_stdout_is_json_lines_in_a_pipe() -> None:
    program = """
import asyncio, sys
from ruleng.sinks.spec import open_sink, parse_spec
from tests.sinks.fakes import Bench
from tests.sinks.samples import alert
async def main():
    sink = open_sink(parse_spec(sys.argv[1]), Bench().tools)
    await sink.open()
    await sink.write([alert(0)])
    await sink.close()
asyncio.run(main())
"""

    def out(spec: str) -> str:
        return subprocess.run([sys.executable, "-c", program, spec], capture_output=True, text=True, check=True).stdout

    assert json.loads(out("stdout"))["rule"] == alert(0).rule
    assert json.loads(out("json"))["rule"] == alert(0).rule
    assert out("text").startswith("2016-08-04T16:17:57.881Z Warning")


def test_reading_a_spec_imports_no_sink() -> None:
    program = "import sys; from ruleng.sinks.spec import parse_spec; parse_spec('jsonl:a'); parse_spec('http://h/')\n"
    program += "print(sorted({'sqlite3', 'http.client', 'ssl', 'asyncio', 'gzip'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_help_and_docs_name_every_kind_and_option() -> None:
    for kind in KINDS:
        assert f"  {kind.name}" in help_text()
        assert f"## {kind.name}\n" in markdown()
        for option in kind.options:
            assert f"| `{option.name}` |" in markdown()
    assert max(map(len, help_text().splitlines())) <= 120


def test_defaults_are_what_their_options_accept() -> None:
    for kind in KINDS:
        for option in kind.options:
            if option.default:
                option.parse(option.default)
