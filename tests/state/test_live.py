"""What /proc shows: of processes made of files, and of the one that runs this test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ruleng.event import HOST, NO_TASK
from ruleng.ports import Clock
from ruleng.state import Limits, ProcReader, State
from tests.state.support import SECOND_NS, TICK_NS, FakeProc, Losses, StillClock

T = 1_000 * SECOND_NS
ID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
NOTHING: frozenset[str] = frozenset()


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path / "proc")


def live(proc: FakeProc, fields: frozenset[str] | None = None, losses: Losses | None = None, clock: Clock | None = None) -> State:
    return State(proc.reader(), clock or StillClock(), Limits(), losses or Losses(), fields=fields, root=proc.path.parent)


def test_an_unknown_pid_is_read_with_all_its_ancestors(proc: FakeProc) -> None:
    proc.add(50, name="sshd", ppid=1, sid=50)
    proc.add(51, name="bash", ppid=50, sid=51, tty=34816, uid=1000, start_ticks=700, argv=["-bash"], exe="/usr/bin/bash")
    shell = live(proc).processes.get(51)
    assert (shell.name, shell.exe, shell.exepath, shell.uid, shell.tty, shell.loginuid) == (
        "bash",
        "-bash",
        "/usr/bin/bash",
        1000,
        34816,
        -1,
    )
    assert (shell.start_ns, shell.parent.now.name, shell.parent.now.parent.now.name) == (700 * TICK_NS, "sshd", "init")
    assert shell.parent.now.parent.now.parent is NO_TASK
    assert shell.session.now is shell


def test_asking_for_a_pid_that_is_not_there_takes_no_place(proc: FakeProc) -> None:
    known = live(proc)
    assert known.processes.get(4711).name is None
    assert len(known.processes) == 0


def test_seeding_reads_everything_and_a_record_later_finds_it_unchanged(proc: FakeProc) -> None:
    for pid in range(100, 200):
        proc.add(pid, name="worker", ppid=1)
    known = live(proc)
    known.seed()
    assert (len(known.processes), known.counters()["seeded"], known.counters()["vanished"]) == (101, 101, 0)
    before = known.processes.get(150)
    assert known.processes.seen(150, T, ppid=1, name="worker", exepath="/usr/bin/cat", uid=0) is before


def test_seeding_counts_what_vanishes_meanwhile(proc: FakeProc) -> None:
    (proc.path / "60").mkdir()  # a directory without files, as of a process that is going
    known = live(proc)
    known.seed()
    assert known.counters()["vanished"] == 1


def test_a_stat_that_cannot_be_understood_is_counted(proc: FakeProc) -> None:
    proc.add(50)
    (proc.path / "50/stat").write_text("nonsense")
    losses = Losses()
    assert live(proc, losses=losses).processes.get(50).name is None
    assert losses.counts == {("state.processes", "/proc/PID/stat: no name in brackets"): 1}


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({"proc.env"}, "env", ("A=1", "B=2")),
        ({"thread.cap_effective"}, "cap_effective", 0xFF),
        ({"proc.vpid"}, "vpid", 3),
        ({"proc.cwd"}, "cwd", "/home"),
    ],
)
def test_what_nobody_asks_for_is_not_read(proc: FakeProc, fields: set[str], attribute: str, value: object) -> None:
    proc.add(50, env=["A=1", "B=2"], vpid=3)
    assert getattr(live(proc, frozenset(fields)).processes.get(50), attribute) == value
    assert getattr(live(proc, NOTHING).processes.get(50), attribute) is None


def test_other_rules_ask_for_other_things_from_then_on(proc: FakeProc) -> None:
    proc.add(50, env=["A=1"])
    proc.add(51, env=["A=1"])
    known = live(proc, NOTHING)
    assert known.processes.get(50).env is None
    known.demand({"proc.env"})
    assert known.processes.get(51).env == ("A=1",)


def test_an_exec_is_completed_from_proc(proc: FakeProc) -> None:
    proc.add(50, name="bash", ppid=1)
    known = live(proc, frozenset({"proc.env"}))
    known.processes.get(50)
    proc.add(50, name="cat", ppid=1, sid=50, tty=34817, env=["LD_PRELOAD=/tmp/x"], exe="/usr/bin/cat")
    after = known.processes.exec(50, T, name="cat", argv=["cat", "/etc/shadow"], exepath="/usr/bin/cat")
    assert (after.cmdline, after.env, after.tty, after.sid) == ("cat /etc/shadow", ("LD_PRELOAD=/tmp/x",), 34817, 50)


def test_the_environment_of_a_later_program_is_not_taken_for_this_ones(proc: FakeProc) -> None:
    proc.add(50, name="sh", exe="/bin/sh", env=["OF=sh"])
    known = live(proc, frozenset({"proc.env"}))
    known.processes.get(50)
    proc.add(50, name="later", exe="/bin/later", env=["OF=later"])
    after = known.processes.exec(50, T, name="id", argv=["id"], exepath="/bin/id")
    assert (after.exepath, after.args, after.env) == ("/bin/id", (), None)


def test_the_arguments_of_a_later_program_are_not_taken_for_those_of_an_unknown_process(proc: FakeProc) -> None:
    proc.add(50, name="later", exe="/bin/later", argv=["later", "-x"])
    seen = live(proc).processes.seen(50, T, name="id", exepath="/bin/id", ppid=1)
    assert (seen.name, seen.exepath, seen.args, seen.parent.now.name) == ("id", "/bin/id", None, "init")


def test_a_pid_given_away_again_is_noticed_by_its_start(proc: FakeProc) -> None:
    proc.add(50, name="old", ppid=1, start_ticks=100, exe="/old")
    known = live(proc)
    old = known.processes.get(50)
    proc.add(50, name="new", ppid=1, start_ticks=900, exe="/new")
    new = known.processes.seen(50, T, name="new", exepath="/new", ppid=1, uid=0)
    assert (new.name, new.start_ns, old.start_ns) == ("new", 900 * TICK_NS, 100 * TICK_NS)
    assert known.counters()["reused"] == 1


def test_an_exec_that_was_missed_is_read_from_proc(proc: FakeProc) -> None:
    proc.add(50, name="sh", ppid=1, exe="/bin/sh")
    known = live(proc)
    known.processes.get(50)
    proc.add(50, name="nc", ppid=1, exe="/bin/nc", argv=["nc", "-l", "4444"])
    now = known.processes.seen(50, T, name="nc", exepath="/bin/nc", ppid=1)
    assert (now.exepath, now.cmdline) == ("/bin/nc", "nc -l 4444")
    assert known.counters()["reused"] == 0


def test_an_orphan_is_the_same_process_when_its_start_is(proc: FakeProc) -> None:
    proc.add(50, name="parent", ppid=1)
    proc.add(51, name="child", ppid=50)
    known = live(proc)
    child = known.processes.get(51)
    proc.remove(50)
    proc.add(51, name="child", ppid=1)
    assert known.processes.seen(51, T, name="child", ppid=1) is child
    assert child.parent.now.name == "parent"


def test_repair_finds_who_has_gone_who_is_new_and_who_runs_something_else(proc: FakeProc) -> None:
    proc.add(50, name="gone", ppid=1)
    proc.add(51, name="sh", ppid=1, exe="/bin/sh")
    proc.add(52, name="old", ppid=1, start_ticks=100)
    known = live(proc)
    known.seed()
    same = known.processes.get(1)
    proc.remove(50)
    proc.add(51, name="nc", ppid=1, exe="/bin/nc", argv=["nc", "-l"])
    proc.add(52, name="another", ppid=1, start_ticks=5000)
    proc.add(53, name="new", ppid=51)
    assert list(known.repair()) == [4]
    assert sorted(found.name or "" for found in known.processes) == ["another", "init", "nc", "new"]
    assert known.processes.get(51).cmdline == "nc -l"
    assert known.processes.get(53).parent.now.name == "nc"
    assert known.processes.get(1) is same


def test_repair_lets_the_caller_breathe(proc: FakeProc) -> None:
    for pid in range(100, 109):
        proc.add(pid)
    assert list(live(proc).processes.repair(batch=4)) == [4, 8, 10]


def test_a_sweep_notes_who_has_exited(proc: FakeProc) -> None:
    proc.add(50, name="short", ppid=1)
    known = live(proc)
    known.seed()
    proc.remove(50)
    known.processes.sweep()
    assert [found.name for found in known.processes] == ["init"]
    assert known.processes.get(50).name == "short"


def test_a_process_swept_too_early_comes_back_with_its_children(proc: FakeProc) -> None:
    proc.add(50, name="bash", ppid=1)
    known = live(proc)
    known.seed()
    task = known.processes.task(50)
    known.processes.exit(50, T)
    known.processes.seen(50, T + SECOND_NS, name="bash", ppid=1)
    assert known.processes.task(50) is task
    assert {found.name for found in known.processes} == {"init", "bash"}


# --- containers -------------------------------------------------------------------------------------------------------


def test_processes_of_the_host_are_the_hosts(proc: FakeProc) -> None:
    proc.add(50, cgroup="0::/system.slice/ssh.service")
    assert live(proc).processes.get(50).container is HOST


def test_a_container_process_has_its_container_and_its_children_too(proc: FakeProc) -> None:
    proc.add(50, ppid=1, cgroup=f"0::/system.slice/docker-{ID}.scope", outside=True)
    known = live(proc)
    inside = known.processes.get(50)
    assert (inside.container.id, inside.container.type, inside.cgroup) == (ID[:12], "docker", f"/system.slice/docker-{ID}.scope")
    assert known.processes.fork(50, 51, T).container is inside.container


def test_a_process_that_enters_a_container_is_in_it_from_its_exec(proc: FakeProc) -> None:
    proc.add(50, name="runc", ppid=1)
    known = live(proc)
    assert known.processes.get(50).container is HOST
    proc.add(50, name="sh", ppid=1, exe="/bin/sh", cgroup="0::/web", outside=True)
    assert known.processes.exec(50, T, name="sh", argv=["sh"], exepath="/bin/sh").container.id == "web"


def test_a_process_that_leaves_its_cgroup_but_not_its_root_is_still_in_its_container(proc: FakeProc) -> None:
    proc.add(50, name="sh", ppid=1, cgroup="0::/web", outside=True)
    known = live(proc)
    container = known.processes.get(50).container
    proc.add(50, name="sh", ppid=1, cgroup="0::/", outside=True)
    assert known.processes.exec(50, T, name="sh", argv=["sh"], exepath="/bin/sh").container is container
    proc.add(50, name="sh", ppid=1, cgroup="0::/", outside=False)
    assert known.processes.exec(50, T, name="sh", argv=["sh"], exepath="/bin/sh").container is HOST


def test_a_process_that_exits_while_it_is_looked_at_is_still_in_its_parents_container(proc: FakeProc) -> None:
    proc.add(50, name="sh", ppid=1, cgroup=f"0::/docker/{ID}", outside=True)
    known = live(proc)
    container = known.processes.get(50).container
    known.processes.fork(50, 51, T)
    proc.add(51, name="cat", ppid=50, cgroup="0::/", outside=True)
    (proc.path / "51/ns/mnt").unlink()
    assert known.processes.exec(51, T, name="cat", argv=["cat"], exepath="/bin/cat").container is container


def test_a_rootless_container_is_known_by_the_supervisor_that_started_it(proc: FakeProc) -> None:
    proc.add(50, name="conmon", ppid=1, argv=["/usr/bin/conmon", "-c", ID, "-u", ID])
    proc.add(51, name="sh", ppid=50, outside=True)
    proc.add(52, name="sh", ppid=51, outside=True)
    known = live(proc)
    assert known.processes.get(51).container.id == ID[:12]
    assert known.processes.get(52).container is known.processes.get(51).container
    assert known.processes.get(50).container is HOST


def test_a_container_began_when_its_first_process_did(proc: FakeProc) -> None:
    proc.add(50, ppid=1, cgroup=f"0::/docker/{ID}", outside=True, vpid=1, start_ticks=300)
    proc.add(51, ppid=50, cgroup=f"0::/docker/{ID}", outside=True, vpid=7, start_ticks=900)
    inside = live(proc).processes.get(51)
    assert (inside.container.start_ns, inside.pidns_start_ns) == (300 * TICK_NS, 300 * TICK_NS)


# --- the process that runs this test ----------------------------------------------------------------------------------


class RealClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def wait_until(holds: Callable[[], object]) -> None:
    """Until it is true, or fail after ten seconds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "waited ten seconds in vain"
        time.sleep(0.001)


def real() -> State:
    return State(ProcReader(), RealClock(), Limits(), Losses())


def test_this_process_is_known_as_it_is() -> None:
    me = real().processes.get(os.getpid())
    assert (me.pid, me.ppid, me.uid, me.gid, me.sid) == (os.getpid(), os.getppid(), os.getuid(), os.getgid(), os.getsid(0))
    assert (me.cwd, me.exepath, me.name) == (
        str(Path.cwd()),
        os.path.realpath(sys.executable),
        Path("/proc/self/comm").read_text()[:-1],
    )
    assert me.parent.now.pid == os.getppid()
    assert me.exe_ino == Path("/proc/self/exe").stat().st_ino
    assert me.start_ns is not None
    assert time.time_ns() - 3600 * SECOND_NS < me.start_ns <= time.time_ns()


def test_a_child_of_this_test_is_found_and_its_end_is_noted() -> None:
    known = real()
    child = subprocess.Popen(["sleep", "60"], env={"MARK": "of-this-test"})
    try:
        wait_until(Path(f"/proc/{child.pid}/environ").read_bytes)  # execve is done
        found = known.processes.get(child.pid)
        assert (found.cmdline, found.env, found.ppid) == ("sleep 60", ("MARK=of-this-test",), os.getpid())
        assert found.parent.now.pid == os.getpid()
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    known.processes.sweep()
    assert child.pid not in {proc.pid for proc in known.processes}
    assert known.processes.get(child.pid).cmdline == "sleep 60"
