"""Each encoder over the samples (goldens), and what must hold of any alert."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.alert import Alert, Outcome, Priority
from ruleng.sinks.encode import ecs, falco, formats, journal, ocsf, syslog, text, values
from ruleng.sinks.encode.attack import attack
from ruleng.sinks.encode.nested import find, put
from tests.sinks.golden import check, check_json
from tests.sinks.samples import SAMPLES, alert, bare, hostile, shell

NAMES_ECS = {
    "proc.pid": "process.pid",
    "proc.name": "process.name",
    "proc.cmdline": "process.command_line",
    "proc.exepath": "process.executable",
    "proc.pid.ts": "process.start",
    "user.uid": "user.id",
    "user.name": "user.name",
    "fd.name": "file.path",
    "container.id": "container.id",
    "container.name": "container.name",
    "container.label": "container.labels",
    "container.label.": "container.labels",
    "evt.time": "@timestamp",
}
NAMES_OCSF = {
    "proc.pid": "actor.process.pid",
    "proc.name": "actor.process.name",
    "proc.cmdline": "actor.process.cmd_line",
    "proc.exepath": "actor.process.file.path",
    "proc.pid.ts": "actor.process.created_time",
    "proc.aname": "actor.process.ancestry.name",
    "user.uid": "actor.user.uid",
    "user.name": "actor.user.name",
    "fd.name": "file.path",
    "container.id": "actor.process.container.uid",
    "container.name": "actor.process.container.name",
    "evt.type": "api.operation",
    "evt.time": "time",
}

sample = pytest.mark.parametrize("name", SAMPLES)


@pytest.fixture(autouse=True)
def _a_version_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ecs, ocsf):
        monkeypatch.setattr(module, "__version__", "1.2.3")


@sample
def test_falco_json(name: str) -> None:
    check_json(f"{name}.falco.json", falco.encode(SAMPLES[name]()))


@sample
def test_ecs_document(name: str) -> None:
    check_json(f"{name}.ecs.json", ecs.encoder(NAMES_ECS)(SAMPLES[name]()))


@sample
def test_ocsf_finding(name: str) -> None:
    check_json(f"{name}.ocsf.json", ocsf.encoder(NAMES_OCSF)(SAMPLES[name]()))


@sample
def test_text_for_people(name: str) -> None:
    check(f"{name}.txt", text.block(SAMPLES[name]()).encode())


def test_text_in_colour() -> None:
    check("shell.colour.txt", text.block(shell(), colour=True).encode())


@sample
def test_syslog_message(name: str) -> None:
    message, cut = syslog.rfc5424(SAMPLES[name](), facility=10, app_name="ruleng", pid=99, max_size=8192)
    assert not cut
    check(f"{name}.rfc5424", message + b"\n")


@sample
def test_local_syslog_message(name: str) -> None:
    message, _ = syslog.local(SAMPLES[name](), facility=10, app_name="ruleng", pid=99, max_size=8192)
    check(f"{name}.syslog", message + b"\n")


@sample
def test_journal_entry(name: str) -> None:
    check(f"{name}.journal", journal.encode(SAMPLES[name](), app_name="ruleng"))


def test_falco_line() -> None:
    assert falco.line(alert(0)) == "16:17:57.881785348: Warning An open was seen (number=0 command=cat /dev/null)"


@pytest.mark.shared
def test_falcos_own_alerts_come_out_as_falco_wrote_them(shared: Path) -> None:
    """Every key that the real engine wrote, from an alert with the same facts."""
    cases = json.loads((shared / "conformance/replay_cases.json").read_bytes())["cases"]
    seen = 0
    for case in cases:
        for written in (case.get("engine") or {}).get("alerts") or []:
            theirs = {key: value for key, value in written.items() if key != "evt_num"}
            time_ns = theirs["output_fields"]["evt.time"]
            fields = {key: value for key, value in theirs["output_fields"].items() if key != "evt.time"}
            priority = Priority.parse(theirs["priority"])
            assert priority is not None
            ours = Alert(
                uuid="u", time_ns=time_ns, rule=theirs["rule"], priority=priority, source=theirs["source"],
                hostname=theirs["hostname"], output=theirs["message"], output_fields=fields, tags=tuple(theirs["tags"][::-1]),
            )  # fmt: skip
            assert {key: json.loads(falco.encode(ours))[key] for key in theirs} == theirs
            seen += 1
    assert seen > 100


def test_evt_time_is_a_number_also_when_the_output_names_it() -> None:
    document = json.loads(falco.encode(alert(0, output_fields={"evt.time": "16:17:57.881785348"})))
    assert document["output_fields"] == {"evt.time": 1470327477881785348}


def test_the_catalogues_names_serve_as_they_are() -> None:
    """With the real catalogue: nested documents, no field in two places, nothing lost."""
    from ruleng.fields.catalogue import standard

    for name in ("ecs", "ocsf"):
        document = json.loads(formats.encoder(name, standard)(shell()))
        told = json.dumps(document)
        for value in ("bash -i", "web", "/etc/shadow", "containerd", "shop", "O_RDONLY|O_CLOEXEC", "ns.mnt", "34816"):
            assert value in told, (name, value)


@pytest.mark.parametrize("encode", [falco.encode, ecs.encoder(NAMES_ECS), ocsf.encoder(NAMES_OCSF)])
@settings(deadline=None)
@given(
    text=st.text(st.characters(codec=None)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | st.binary(),
        lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner) | st.sets(st.integers()),
    ),
    time_ns=st.integers(),
)
def test_whatever_an_alert_holds_it_becomes_one_line_of_json(
    encode: formats.Encode, text: str, value: object, time_ns: int
) -> None:
    found = alert(0, rule=text, output=text, hostname=text, output_fields={"proc.name": value, text: 1}, time_ns=time_ns)
    line = encode(found)
    assert b"\n" not in line
    json.loads(line.decode("utf-8"))


@settings(deadline=None)
@given(st.text(st.characters(codec=None)))
def test_printable_text_is_one_line_without_controls(line: str) -> None:
    shown = values.printable(line)
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain äöü 漢字 🦊", "plain äöü 漢字 🦊"),
        ("a\tb\nc\r", r"a\tb\nc\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202egpj", r"\u202egpj"),
        ("\udcff\udc80", r"\xff\x80"),
        ("\x85", r"\u0085"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_printable(line: str, shown: str) -> None:
    assert values.printable(line) == shown


@pytest.mark.parametrize(
    ("time_ns", "shown"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1470327477881785348, "2016-08-04T16:17:57.881785348Z"),
        (10**30, "9999-12-31T23:59:59.000000000Z"),
        (-(10**30), "0001-01-01T00:00:00.000000000Z"),
    ],
)
def test_times(time_ns: int, shown: str) -> None:
    assert values.iso(time_ns) == shown


@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.integers(0, 600))
def test_a_syslog_message_keeps_to_its_size_and_is_utf8(output: str, max_size: int) -> None:
    for encode in (syslog.rfc5424, syslog.local):
        message, cut = encode(alert(0, output=output), facility=10, app_name="ruleng", pid=1, max_size=max_size)
        assert len(message) <= max_size
        assert b"\n" not in message
        message.decode("utf-8")
        assert cut or output == "" or values.printable(output).encode() in message


def test_a_long_syslog_message_loses_its_fields_before_its_text() -> None:
    found = alert(0, output_fields={"proc.cmdline": "x" * 5000})
    message, cut = syslog.rfc5424(found, facility=10, app_name="ruleng", pid=1, max_size=1000)
    assert cut
    assert found.output.encode() in message
    assert b"xxx" not in message


RFC5424 = re.compile(
    r"<\d{1,3}>1 \S+ [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} "
    r'(\[[^\s="\]]{1,32}( [^\s="\]]{1,32}="([^"\\\]]|\\["\\\]])*")*\])+ .*',
    re.DOTALL,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)) | st.binary() | st.integers()))
def test_structured_data_is_well_formed_whatever_the_fields(fields: dict[str, object]) -> None:
    message, cut = syslog.rfc5424(alert(0, output_fields=fields), facility=10, app_name="ruleng", pid=1, max_size=10**9)
    assert not cut
    assert RFC5424.fullmatch(message.decode("utf-8"))


def test_a_journal_entry_gives_back_its_values() -> None:
    """Read as journald does: NAME=value lines, or NAME, 64-bit length and bytes where the value has a line end."""
    entry = journal.encode(hostile(), app_name="ruleng")
    fields: list[tuple[bytes, bytes]] = []
    while entry:
        line, _, rest = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[8 + size + 1 :]
        fields.append((name, value))
        entry = rest
    assert (b"RULENG_RULE", b"bad\nrule \xff") in fields
    assert (b"RULENG_FIELD_EVT_BUFFER", b"\xff\x00GET /\n") in fields
    assert all(re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name) for name, _ in fields)


def test_tags_name_tactics_and_techniques() -> None:
    found = attack(["attack.t1059.004", "T1609", "mitre_privilege_escalation", "attack.command_and_control", "shell", "mitre_x"])
    assert found.techniques == ("T1059", "T1609")
    assert found.sub_techniques == ("T1059.004",)
    assert found.tactics == (("TA0004", "Privilege Escalation"), ("TA0011", "Command and Control"))


def test_a_taken_place_is_left_alone() -> None:
    tree: dict[str, object] = {}
    assert put(tree, "process.name", "bash")
    assert not put(tree, "process.name", "sh")
    assert not put(tree, "process.name.text", "sh")
    assert not put(tree, "process", 1)
    assert tree == {"process": {"name": "bash"}}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("proc.name", ("process.name", None)),
        ("proc.aname[2]", ("process.parent.name", "2")),
        ("container.label.app.io/name", ("container.labels", "app.io/name")),
        ("proc.name.changed", None),
        ("unknown", None),
    ],
)
def test_an_output_fields_path(name: str, place: object) -> None:
    names = {"proc.name": "process.name", "proc.aname": "process.parent.name", "container.label.": "container.labels"}
    assert find(names, name) == place


def test_what_was_done_decides_an_ocsf_disposition() -> None:
    def disposition(*actions: tuple[str, str]) -> object:
        found = alert(0, actions=tuple(Outcome(action=action, outcome=outcome) for action, outcome in actions))
        return json.loads(ocsf.encoder({})(found))["disposition"]

    assert disposition() == "Alert"
    assert disposition(("kill", "dry-run")) == "Alert"
    assert disposition(("alert", "done"), ("kill", "done")) == "Custom Action"
    assert disposition(("kill", "done"), ("deny", "done")) == "Blocked"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="yaml"):
        formats.encoder("yaml", lambda: None)  # type: ignore[arg-type, return-value]


def test_a_bare_alert_has_evt_time_for_falcosidekick() -> None:
    assert json.loads(falco.encode(bare()))["output_fields"]
