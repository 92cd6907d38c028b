"""`ruleng replay` and `ruleng events`: logs and recordings, whole, compressed, from a pipe, broken."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.bench.auditlog import lines
from tests.cli import samples
from tests.cli.conftest import COMMAND, ROOT, Result, Ruleng, environment

DEMO = ROOT / "rules/demo/intrusion.log.gz"


def alike(result: Result) -> list[dict[str, Any]]:
    """The alerts without what differs from run to run."""
    return [{key: value for key, value in alert.items() if key != "uuid"} for alert in result.lines]


def test_a_log_gives_the_alerts_that_the_rules_say(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("replay", "-r", rules, log)
    assert result.status == 0
    assert result.said == samples.SAID
    lines = result.err.splitlines()
    assert lines[0].startswith("5 events in ")
    assert lines[1:5] == ["3 alerts", "  2  Warning  Shadow read", "  1  Notice   Listener", "nothing was lost"]
    assert lines[5].startswith("time: read ")


def test_quiet_leaves_out_the_summary(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("replay", "-q", "-r", rules, log)
    assert (result.status, result.err) == (0, "")
    assert result.said == samples.SAID


def test_the_bundled_recording_raises_alerts(ruleng: Ruleng) -> None:
    result = ruleng("replay", DEMO)
    assert result.status == 0
    assert len(result.lines) >= 5


def test_rules_see_what_a_field_needs_and_nothing_of_this_host(ruleng: Ruleng, tmp_path: Path, log: Path) -> None:
    path = tmp_path / "own.rules"
    path.write_text(
        'rule "Any" { desc: "" condition: evt.type = openat output: "%user.name %container.id %proc.pname" priority: notice }'
    )
    assert {message for _, message in ruleng("replay", "-q", "-r", path, log).said} == {"<NA> <NA> <NA>"}


# --- ways in ------------------------------------------------------------------------------------------------------------


def test_a_compressed_log_is_read_as_it_is(ruleng: Ruleng, log: Path, rules: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"  # its name does not say so
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert ruleng("replay", "-q", "-r", rules, packed).said == samples.SAID


def test_standard_input_is_read_whole(spawned: Ruleng, rules: Path) -> None:
    result = spawned("replay", "-r", rules, "-", input=samples.LOG + samples.opened(200, "/etc/shadow"))
    assert result.status == 0
    assert len(result.said) == 4
    assert "nothing was lost" in result.err


def test_standard_input_may_be_a_file(log: Path, rules: Path, tmp_path: Path) -> None:
    with log.open("rb") as opened:
        done = subprocess.run(
            [*COMMAND, "replay", "-r", rules, "-"], stdin=opened, capture_output=True, env=environment(), timeout=60, check=True
        )
    assert Result(0, done.stdout.decode(), "").said == samples.SAID
    assert b"nothing was lost" in done.stderr


def test_compressed_standard_input_is_refused_with_what_to_do(spawned: Ruleng, rules: Path) -> None:
    result = spawned("replay", "-r", rules, "-", input=gzip.compress(samples.LOG.encode()))
    assert (result.status, result.out) == (1, "")
    assert result.err == ("ruleng replay: standard input: is compressed\n  zcat FILE | ruleng ... -, or give the file's name\n")


def test_standard_input_is_read_once(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("replay", "-r", rules, "-", "-")
    assert (result.status, result.err) == (2, "ruleng replay: standard input can be read only once\n")


def test_rotated_logs_are_read_oldest_first_and_events_go_on_from_one_to_the_next(
    ruleng: Ruleng, tmp_path: Path, rules: Path
) -> None:
    lines = samples.LOG.splitlines(keepends=True)
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "audit.log.2").write_text("".join(lines[:6]))
    (folder / "audit.log.1").write_text("".join(lines[6:7]))  # within the event of the second alert
    (folder / "audit.log").write_text("".join(lines[7:]))
    for arguments in (["--rotated", folder / "audit.log"], [folder]):
        result = ruleng("replay", "-r", rules, *arguments)
        assert (result.status, result.said) == (0, samples.SAID)
        assert "nothing was lost" in result.err


def test_several_logs_are_read_in_the_order_given(ruleng: Ruleng, tmp_path: Path, rules: Path) -> None:
    one, two = tmp_path / "b.log", tmp_path / "a.log"
    one.write_text(samples.executed(1, "nc", "one"))
    two.write_text(samples.executed(2, "nc", "two"))
    assert [message for _, message in ruleng("replay", "-r", rules, one, two).said] == [
        "listens: nc one by 0",
        "listens: nc two by 0",
    ]


# --- log = events = replay of events ------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["sample", "demo", "generated"])
def test_events_of_a_log_replayed_give_the_alerts_of_the_log(
    ruleng: Ruleng, spawned: Ruleng, which: str, log: Path, rules: Path, tmp_path: Path
) -> None:
    arguments = ["-r", rules] if which == "sample" else []
    path = DEMO if which == "demo" else log
    if which == "generated":
        log.write_text("".join(lines(5000, seed=7)))
    direct = ruleng("replay", *arguments, path)
    events = ruleng("events", path)
    assert (direct.status, events.status) == (0, 0)
    assert direct.lines
    recorded = tmp_path / "events.jsonl"
    recorded.write_text(events.out)
    assert alike(ruleng("replay", *arguments, recorded)) == alike(direct)
    assert alike(spawned("replay", *arguments, "-", input=events.out)) == alike(direct)
    packed = tmp_path / "events.gz"
    packed.write_bytes(gzip.compress(events.out.encode()))
    assert alike(ruleng("replay", *arguments, packed)) == alike(direct)


def test_events_of_events_are_the_same_events(ruleng: Ruleng, log: Path, tmp_path: Path) -> None:
    once = ruleng("events", log)
    recorded = tmp_path / "events.jsonl"
    recorded.write_text(once.out)
    assert ruleng("events", recorded).lines == once.lines


# --- what is printed ----------------------------------------------------------------------------------------------------


def test_only_the_fields_that_are_asked_for_are_printed(ruleng: Ruleng, log: Path) -> None:
    result = ruleng("events", "--fields", "evt.type, fd.name,proc.pid", log)
    assert (result.status, result.err) == (0, "")
    assert result.lines[0] == {"evt.type": "execve", "proc.pid": 4711}
    assert result.lines[1] == {"evt.type": "openat", "fd.name": "/etc/shadow", "proc.pid": 4711}


def test_only_the_event_types_that_are_asked_for_are_printed(ruleng: Ruleng, log: Path) -> None:
    assert [event["evt.type"] for event in ruleng("events", "--type", "execve", log).lines] == ["execve"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fields", "fd.nam", "x.log"], "ruleng events: there is no field `fd.nam`\n  did you mean `fd.name`?\n"),
        (["--type", "opnat", "x.log"], "ruleng events: there is no event type `opnat`\n  did you mean `openat`?\n"),
        ([], "ruleng events: give files, or --source for live events\n  ruleng events /var/log/audit/audit.log\n"),
        (["--source", "audit", "x.log"], "ruleng events: give files, or --source for live events\n"),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_mistake(ruleng: Ruleng, arguments: list[str], message: str) -> None:
    result = ruleng("events", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(message)


# --- bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["replay", "events"])
def test_files_of_two_kinds_are_a_mistake(ruleng: Ruleng, log: Path, tmp_path: Path, command: str) -> None:
    recorded = tmp_path / "events.jsonl"
    recorded.write_text('{"evt.type":"execve"}\n')
    result = ruleng(command, log, recorded)
    assert (result.status, result.out) == (2, "")
    assert f"files of two kinds: {log} (audit), {recorded} (recorded)\n" in result.err


def test_an_empty_file_is_of_either_kind_and_no_failure(ruleng: Ruleng, log: Path, rules: Path, tmp_path: Path) -> None:
    empty, recorded = tmp_path / "empty", tmp_path / "events.jsonl"
    empty.write_bytes(b"")
    recorded.write_text(ruleng("events", log).out)
    assert ruleng("replay", "-r", rules, empty).status == 0
    for path in (log, recorded):
        result = ruleng("replay", "-r", rules, empty, path)
        assert (result.status, result.said) == (0, samples.SAID)


@pytest.mark.parametrize("name", ["gone.log", "gone.jsonl"])
@pytest.mark.parametrize("command", ["replay", "events"])
def test_a_file_that_is_not_there_is_one_line(ruleng: Ruleng, tmp_path: Path, command: str, name: str) -> None:
    path = tmp_path / name
    result = ruleng(command, path)
    assert (result.status, result.out, result.err) == (1, "", f"ruleng {command}: {path}: No such file or directory\n")


def test_a_pipe_by_name_is_refused_with_what_to_do(ruleng: Ruleng, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    result = ruleng("replay", path)
    assert result.status == 1
    assert result.err == f"ruleng replay: {path}: is no file\n  give its content on standard input: ruleng ... - < PATH\n"


BROKEN = {
    "binary": bytes(range(256)) * 40,
    "one long line": b"x" * (3 << 20),
    "NUL bytes": b"type=SYSCALL msg=audit(1700000000.001:1): \0\0\0\n",
    "no time": b"type=SYSCALL msg=audit(yesterday): arch=c000003e\n",
    "no JSON": b'{"evt.type": "execve"\n',
    "no object": b"{}[]\n",
    "no field": b'{"evt.tpye": "execve"}\n',
    "no value of the field": b'{"evt.type": "execve", "proc.pid": "many"}\n',
    "deep": b'{"evt.type":' + b"[" * 50_000 + b"\n",
    "a long JSON line": b'{"evt.type": "' + b"x" * (3 << 20) + b'"}\n',
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("command", ["replay", "events"])
def test_broken_input_is_counted_with_its_place_and_the_rest_is_read(
    ruleng: Ruleng, log: Path, rules: Path, tmp_path: Path, command: str, what: str
) -> None:
    broken = BROKEN[what]
    is_recording = broken.startswith(b"{")
    sound = ruleng("events", log).out.encode() if is_recording else log.read_bytes()
    path = tmp_path / "broken"
    path.write_bytes(broken.rstrip(b"\n") + b"\n" + sound)
    result = ruleng(command, *(["-r", rules] if command == "replay" else []), path)
    assert result.status == 1
    assert f"(first: {path}:1" in result.err
    if command == "replay":
        assert result.said == samples.SAID
    else:
        assert len(result.lines) == 5


@pytest.mark.parametrize("kind", ["log", "recording"])
@pytest.mark.parametrize("damage", ["cut", "garbled"])
def test_a_compressed_file_that_is_damaged_gives_what_can_be_read(
    ruleng: Ruleng, log: Path, rules: Path, tmp_path: Path, kind: str, damage: str
) -> None:
    content = b"".join(samples.opened(number, "/etc/shadow").encode() for number in range(3000))
    if kind == "recording":
        log.write_bytes(content)
        content = ruleng("events", log).out.encode()
    packed = bytearray(gzip.compress(content))
    if damage == "cut":
        del packed[len(packed) * 2 // 3 :]
    else:
        packed[len(packed) * 2 // 3 :] = bytes(len(packed) // 3)
    path = tmp_path / "damaged.gz"
    path.write_bytes(packed)
    result = ruleng("replay", "-r", rules, path)
    assert result.status == 1
    assert "a file cannot be read to its end" in result.err
    assert result.lines


def test_losses_are_told_even_when_quiet(ruleng: Ruleng, log: Path, rules: Path) -> None:
    log.write_text("no record\n" + log.read_text())
    result = ruleng("replay", "-q", "-r", rules, log)
    assert (result.status, result.said) == (1, samples.SAID)
    assert result.err == f"ruleng: audit.parse: no audit record: 1 (first: {log}:1)\n"


def test_a_loss_is_an_event_that_rules_see(ruleng: Ruleng, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "loss.rules"
    path.write_text(
        'rule "Blind" { desc: "" condition: evt.type = ruleng.lost output: "%evt.lost.count %evt.lost.where" priority: error }'
    )
    log.write_text("no record\n" + log.read_text())
    assert ruleng("replay", "-r", path, log).said == [("Blind", "1 audit.parse")]


def test_rules_with_errors_stop_it_before_anything_is_read(ruleng: Ruleng, log: Path, rules: Path) -> None:
    rules.write_text(rules.read_text().replace("fd.name =", "fd.nam ="))
    result = ruleng("replay", "-r", rules, log)
    assert (result.status, result.out) == (1, "")
    assert result.err.endswith("ruleng replay: 1 error in the rules\n")


def test_events_are_json_that_others_read(ruleng: Ruleng, log: Path) -> None:
    for line in ruleng("events", log).out.splitlines():
        assert isinstance(json.loads(line), dict)
