"""`ruleng run` on this kernel: it sees, tells, follows its signals, and leaves nothing behind.

Others may have rules in this kernel meanwhile, ruleng's among them: each is known by its process.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.running import COMMAND, DEADLINE_S, READY, ROOT, Running, has_rules, owners, running, settings, until

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def _settings_are_as_before() -> Iterator[None]:
    """Unless another ruleng runs beside the test: who ends last restores them."""
    before, alone = settings(), not owners()
    yield
    if alone and not owners():
        assert settings() == before


def opening(path: Path, *, name: str = "Marker", more: str = "") -> str:
    """A rule for one file that nobody but the test opens."""
    return (
        f'rule "{name}" {{ desc: "opens the marker" condition: evt.type in (open, openat) and fd.name = {path}\n'
        f'output: "%proc.name opens %fd.name" priority: warning {more} }}\n'
    )


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    path = tmp_path / "marker"
    path.touch()
    return path


@pytest.fixture
def rules(tmp_path: Path, marker: Path) -> Path:
    path = tmp_path / "marker.rules"
    path.write_text(opening(marker))
    return path


def read(path: Path, times: int = 1) -> None:
    """By a program of its own."""
    subprocess.run(["cat", *[str(path)] * times], check=True, stdout=subprocess.DEVNULL)


# --- what the rules that ship see ---------------------------------------------------------------------------------------


def test_password_hashes_that_are_read_and_a_setuid_bit_are_told_and_nothing_remains(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.touch()
    with running(tmp_path, "--duration", "120s") as run:
        assert has_rules(run.pid)
        subprocess.run(["cat", "/etc/shadow", program], check=True, stdout=subprocess.DEVNULL)
        program.chmod(0o4755)
        (read_by,) = run.wait_alerts("Account secrets read", where=lambda alert: str(program) in alert["output"])
        (set_by,) = run.wait_alerts("Set-user-id bit set", where=lambda alert: str(program) in alert["output"])
        assert run.end() == 0
    assert read_by["output_fields"]["proc.cmdline"] == f"cat /etc/shadow {program}"
    assert read_by["output_fields"]["container.id"] == "host"
    assert set_by["priority"] == "Warning"
    assert "nothing was lost" in run.told
    assert not has_rules(run.pid)


def test_a_run_ends_after_its_duration(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "-r", rules, "--duration", "500ms") as run:
        assert run.process.wait(DEADLINE_S) == 0
    assert re.search(r"[0-9] events? in ", run.told)
    assert not has_rules(run.pid)


def bundle(folder: Path, *command: str) -> Path:
    """A container of busybox alone that runs the command."""
    bin_ = folder / "rootfs" / "bin"
    bin_.mkdir(parents=True)
    (bin_ / "busybox").write_bytes(Path("/bin/busybox").read_bytes())
    (bin_ / "busybox").chmod(0o755)
    (bin_ / "sh").symlink_to("busybox")
    subprocess.run(["runc", "spec"], cwd=folder, check=True)
    specification = json.loads((folder / "config.json").read_text())
    specification["process"] |= {"terminal": False, "args": list(command)}
    (folder / "config.json").write_text(json.dumps(specification))
    return folder


@pytest.mark.containers
@pytest.mark.parametrize("kind", ["hexadecimal", "named"])
def test_a_shell_in_a_container_is_told_with_the_containers_id(tmp_path: Path, kind: str) -> None:
    if not Path("/bin/busybox").exists():
        pytest.skip("needs /bin/busybox (apt-get install busybox-static)")
    name = uuid.uuid4().hex * 2 if kind == "hexadecimal" else f"e2e-{uuid.uuid4().hex[:8]}"
    id_ = name[:12] if kind == "hexadecimal" else name
    folder = bundle(tmp_path / "bundle", "sh", "-c", "read line")  # which container it is, is asked while it lives
    with running(tmp_path) as run, subprocess.Popen(["runc", "run", name], cwd=folder, stdin=subprocess.PIPE) as container:
        (alert,) = run.wait_alerts("Shell in a container", where=lambda alert: alert["output_fields"]["container.id"] == id_)
        container.communicate(b"\n", timeout=DEADLINE_S)
    assert container.returncode == 0
    assert alert["output_fields"]["proc.cmdline"] == "sh -c read line"


# --- signals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_recorded_before_the_signal_is_decided_and_delivered(
    tmp_path: Path, rules: Path, marker: Path, number: signal.Signals
) -> None:
    with running(tmp_path, "-r", rules) as run:
        read(marker, times=200)
        assert run.end(number) == 0
    assert len(run.alerts("Marker")) == 200
    assert "200  Warning  Marker" in run.told
    assert not has_rules(run.pid)


def test_a_bad_file_is_refused_and_the_old_rules_stay_and_a_good_one_is_taken(tmp_path: Path, rules: Path, marker: Path) -> None:
    throttled = opening(marker, more="throttle: 1 per 1h by fd.name")
    other = tmp_path / "other"
    other.touch()
    rules.write_text(throttled)
    with running(tmp_path, "-r", rules) as run:
        read(marker)
        run.wait_alerts("Marker")
        rules.write_text(throttled.replace("fd.name =", "fd.nam ="))
        run.send(signal.SIGHUP)
        run.wait_told("reload refused, the old rules stay: 1 error in the rules")
        assert "unknown field `fd.nam`" in run.told
        rules.write_text(throttled + opening(other, name="Other"))
        run.send(signal.SIGHUP)
        run.wait_told("reloaded: 2 rules")
        read(marker)
        read(other)
        run.wait_alerts("Other")
        assert run.end() == 0
    assert len(run.alerts("Marker")) == 1  # the throttle remembers
    assert "1 more held back by throttles" in run.told


def test_a_reload_asks_the_kernel_for_what_the_new_rules_need(tmp_path: Path, rules: Path) -> None:
    program = tmp_path / "program"
    program.touch()
    with running(tmp_path, "-r", rules) as run:
        rules.write_text(
            f'rule "Mode" {{ desc: "" condition: evt.type in (chmod, fchmodat, fchmodat2) and fs.path.name = {program}\n'
            'output: "%fs.path.name" priority: notice }'
        )
        run.send(signal.SIGHUP)
        run.wait_told("reloaded: 1 rules")
        program.chmod(0o600)
        run.wait_alerts("Mode")


def test_a_reload_takes_from_the_configuration_what_it_says_of_rules(tmp_path: Path, rules: Path, marker: Path) -> None:
    toml = tmp_path / "ruleng.toml"
    toml.write_text('[rules]\ndisable = ["Marker"]\n')
    with running(tmp_path, "-c", toml, "-r", rules) as run:
        assert "ruleng: 0 rules, source audit" in run.told
        toml.write_text("[rules]\ndisable = 3\n")
        run.send(signal.SIGHUP)
        run.wait_told(f"reload refused, the old rules stay: {toml}:2:1: `disable` wants a list of texts, not 3")
        toml.write_text("")
        run.send(signal.SIGHUP)
        run.wait_told("reloaded: 1 rules")
        read(marker)
        run.wait_alerts("Marker")


def test_the_next_start_removes_what_a_killed_one_left(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "-r", rules) as killed:
        assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert has_rules(killed.pid)
    with running(tmp_path, "-r", rules):
        assert not has_rules(killed.pid)


def test_a_signal_while_it_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    run = Running(tmp_path)
    until(lambda: has_rules(run.pid) or run.process.poll() is not None, "rules in the kernel")
    assert run.end() == 0
    assert not has_rules(run.pid)


def test_its_reader_that_goes_ends_it(tmp_path: Path, rules: Path, marker: Path) -> None:
    script = f'"{sys.executable}" -m ruleng run --source audit -r {rules} 2>{tmp_path}/told | head -1'
    with subprocess.Popen(["bash", "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as shell:
        until(lambda: (tmp_path / "told").exists() and READY in (tmp_path / "told").read_text(), "ruleng is ready")
        read(marker)
        assert shell.stdout is not None
        assert json.loads(shell.stdout.readline())["rule"] == "Marker"
        read(marker)  # is written to nobody
        assert shell.wait(DEADLINE_S) == 0
    assert re.search(r"[0-9] events? in ", (tmp_path / "told").read_text())


# --- what may not be changed --------------------------------------------------------------------------------------------


def test_only_listening_installs_nothing(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "-r", rules, "--audit-rules", "leave") as run:
        assert not has_rules(run.pid)


def test_what_is_not_recorded_of_what_the_rules_want_is_said_with_the_reason(tmp_path: Path, rules: Path) -> None:
    rules.write_text('rule "Reads" { desc: "" condition: evt.type = read and proc.name = nobody output: "" priority: notice }')
    with running(tmp_path, "-r", rules) as run:
        run.wait_told("ruleng: not all is recorded of read: it would flood audit")


WITHOUT_PRIVILEGES = {
    "another user": ["setpriv", "--reuid", "65534", "--clear-groups"],
    "root without capabilities": ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
    "root of a user namespace": ["unshare", "--user", "--map-root-user"],
}


@pytest.mark.parametrize("who", WITHOUT_PRIVILEGES)
@pytest.mark.parametrize("command", ["run", "events"])
def test_without_the_privileges_it_says_so_and_what_to_do(who: str, command: str) -> None:
    wrapped = WITHOUT_PRIVILEGES[who]
    if subprocess.run([*wrapped, sys.executable, "-c", "import ruleng"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip(f"this Python cannot be run as {who}")
    done = subprocess.run(
        [*wrapped, *COMMAND, command, "--source", "audit"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (3, "")
    problem, hint = done.stderr.splitlines()
    assert problem.startswith(f"ruleng {command}: audit: ")
    assert "run" in hint


def test_events_of_this_host_are_printed_until_the_end(tmp_path: Path, marker: Path) -> None:
    printed = tmp_path / "events.jsonl"
    with (
        printed.open("wb") as out,
        subprocess.Popen(
            [*COMMAND, "events", "--source", "audit", "--type", "open,openat", "--fields", "fd.name,proc.name,proc.pid"],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.PIPE,
        ) as process,
    ):

        def seen() -> bool:
            read(marker)
            return str(marker) in printed.read_text()

        until(seen, "the marker's event")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, told) == (0, b"")
    events = [json.loads(line) for line in printed.read_text().splitlines()]
    assert {event["proc.name"] for event in events if event.get("fd.name") == str(marker)} == {"cat"}
    assert process.pid not in {event.get("proc.pid") for event in events}
    assert not has_rules(process.pid)
