"""Stories of processes: what records tell, and what is known afterwards. All in replay, so nothing but the records counts."""

import pytest

from ruleng.event import NO_TASK, Process
from ruleng.state import Limits, State
from tests.state.support import SECOND_NS, Losses, StillClock

T = 1_000 * SECOND_NS


def state(losses: Losses | None = None, **limits: int) -> State:
    return State(None, StillClock(), Limits(**limits), losses or Losses())


def ancestors(proc: Process) -> list[str | None]:
    names = []
    while proc.parent is not NO_TASK:
        proc = proc.parent.now
        names.append(proc.name)
    return names


def test_a_process_seen_twice_the_same_is_the_very_same_snapshot() -> None:
    processes = state().processes
    first = processes.seen(7, T, ppid=1, name="sshd", exepath="/usr/sbin/sshd", uid=0, gid=0, loginuid=-1, tty=0, cwd="/")
    again = processes.seen(7, T + 1, ppid=1, name="sshd", exepath="/usr/sbin/sshd", uid=0, gid=0, loginuid=-1, tty=0, cwd="/")
    assert again is first
    assert processes.get(7) is first


def test_a_record_that_says_less_changes_nothing() -> None:
    processes = state().processes
    first = processes.seen(7, T, ppid=1, name="sshd", uid=0)
    assert processes.seen(7, T + 1) is first


def test_a_change_makes_a_new_snapshot_and_leaves_the_old_one_as_it_was() -> None:
    processes = state().processes
    before = processes.seen(7, T, name="su", uid=1000, gid=1000)
    after = processes.seen(7, T + 1, uid=0)
    assert (before.uid, before.user.uid) == (1000, 1000)
    assert (after.uid, after.user.uid, after.gid, after.name) == (0, 0, 1000, "su")


def test_users_have_the_names_that_records_gave() -> None:
    known = state()
    known.users.learn_user(1000, "alice")
    known.users.learn_group(100, "users")
    proc = known.processes.seen(7, T, uid=1000, gid=100, loginuid=1000)
    assert (proc.user.name, proc.group_of.name, proc.login.name) == ("alice", "users", "alice")


def test_an_exec_tells_the_whole_command_line() -> None:
    processes = state().processes
    proc = processes.exec(7, T, name="cat", argv=["/bin/cat", "-n", "/etc/shadow"], exepath="/usr/bin/cat", ppid=5, uid=0)
    assert (proc.name, proc.exe, proc.exepath, proc.args) == ("cat", "/bin/cat", "/usr/bin/cat", ("-n", "/etc/shadow"))
    assert (proc.args_text, proc.cmdline, proc.exec_ns, proc.ppid) == ("-n /etc/shadow", "cat -n /etc/shadow", T, 5)


def test_an_exec_without_arguments_has_a_command_line_of_its_name() -> None:
    processes = state().processes
    proc = processes.exec(7, T, name="true", argv=["true"], exepath="/usr/bin/true")
    assert (proc.args, proc.args_text, proc.cmdline) == ((), "", "true")
    empty = processes.exec(7, T, name="true", argv=[], exepath="/usr/bin/true")
    assert (empty.exe, empty.args, empty.cmdline) == (None, (), "true")


def test_an_exec_whose_arguments_were_lost_knows_none_not_the_old_ones() -> None:
    processes = state().processes
    processes.exec(7, T, name="sh", argv=["sh", "-c", "id"], exepath="/bin/sh")
    proc = processes.exec(7, T + 1, name="id", argv=None, exepath="/usr/bin/id")
    assert (proc.exe, proc.args, proc.args_text, proc.cmdline) == (None, None, None, "id")


def test_an_exec_without_a_name_is_named_after_its_file() -> None:
    proc = state().processes.exec(7, T, name=None, argv=None, exepath="/opt/a-very-long-program-name")
    assert proc.name == "a-very-long-pro"


def test_a_child_begins_as_a_copy_of_its_parent() -> None:
    processes = state().processes
    processes.exec(5, T, name="bash", argv=["-bash"], exepath="/usr/bin/bash", uid=1000, tty=34816, sid=5)
    child = processes.fork(5, 7, T + 1)
    assert (child.pid, child.ppid, child.name, child.exe, child.uid, child.tty) == (7, 5, "bash", "-bash", 1000, 34816)
    assert (child.start_ns, child.vpid) == (T + 1, None)
    assert child.parent is processes.task(5)
    assert child.session is processes.task(5)


def test_children_see_their_parents_present_name_and_after_its_exit_its_last_one() -> None:
    processes = state().processes
    processes.exec(5, T, name="bash", argv=["bash"], exepath="/usr/bin/bash")
    child = processes.fork(5, 7, T)
    processes.exec(5, T + 1, name="nginx", argv=["nginx"], exepath="/usr/sbin/nginx")
    assert child.parent.now.name == "nginx"
    processes.exit(5, T + 2)
    assert child.parent.now.name == "nginx"


def test_an_orphan_keeps_its_lineage_when_the_kernel_gives_it_to_init() -> None:
    processes = state().processes
    processes.exec(5, T, name="sshd", argv=["sshd"], exepath="/usr/sbin/sshd", ppid=1)
    processes.fork(5, 6, T)
    processes.fork(6, 7, T)
    processes.exit(6, T + 1)
    orphan = processes.seen(7, T + 2, ppid=1, name="sshd")
    assert (orphan.ppid, ancestors(orphan)) == (6, ["sshd", "sshd", None])
    assert processes.seen(7, T + 3, ppid=1, name="sshd") is orphan


def test_a_parent_known_only_by_number_gets_its_name_when_a_record_tells_it() -> None:
    processes = state().processes
    child = processes.seen(7, T, ppid=5, name="id")
    assert child.parent.now == Process(pid=5)
    processes.exec(5, T + 1, name="bash", argv=["bash"], exepath="/usr/bin/bash")
    assert child.parent.now.name == "bash"


def test_the_fork_of_a_vforked_child_may_be_told_after_its_exec() -> None:
    processes = state().processes
    processes.exec(5, T, name="make", argv=["make"], exepath="/usr/bin/make")
    after_exec = processes.exec(7, T + 2, name="cc", argv=["cc"], exepath="/usr/bin/cc")
    child = processes.fork(5, 7, T + 1)
    assert (child.name, child.exec_ns, child.ppid) == ("cc", after_exec.exec_ns, 5)
    assert ancestors(child) == ["make"]


def test_the_fork_of_a_child_that_has_exited_already_does_not_wake_it() -> None:
    processes = state().processes
    processes.exec(5, T, name="make", argv=["make"], exepath="/usr/bin/make")
    processes.seen(7, T + 1, name="make")
    processes.exit(7, T + 2)
    processes.fork(5, 7, T)
    assert ancestors(processes.get(7)) == ["make"]
    assert [proc.pid for proc in processes] == [5]


def test_an_exit_makes_a_new_snapshot_so_that_a_kept_one_is_known_to_be_old() -> None:
    processes = state().processes
    kept, task = processes.seen(7, T, name="short"), processes.task(7)
    processes.exit(7, T + 1)
    assert task.now is not kept
    assert task.now == kept


def test_a_pid_that_is_forked_again_is_another_process_and_the_old_ones_children_keep_it() -> None:
    processes = state().processes
    processes.seen(5, T, name="cron")
    processes.exec(7, T, name="old", argv=["old"], exepath="/old")
    child_of_old = processes.fork(7, 8, T)
    processes.exit(7, T + 1)
    new = processes.fork(5, 7, T + 60 * SECOND_NS)
    assert new.name == "cron"
    assert child_of_old.parent.now.name == "old"
    assert child_of_old.parent is not processes.task(7)


def test_a_record_after_the_exit_is_of_another_process_with_that_pid() -> None:
    processes = state().processes
    old = processes.exec(7, T, name="old", argv=["old"], exepath="/old", ppid=5, uid=0)
    processes.exit(7, T + 1)
    new = processes.seen(7, T + SECOND_NS, name="new", ppid=6)
    assert (new.name, new.exepath, new.uid, new.ppid) == ("new", None, None, 6)
    assert old.name == "old"
    assert processes.counters()["reused"] == 1


def test_a_record_that_comes_a_little_late_is_still_of_the_process_that_exited() -> None:
    processes = state().processes
    last = processes.seen(7, T, name="short")
    processes.exit(7, T + 10)
    assert processes.seen(7, T + 5, name="short") == last
    assert processes.counters()["reused"] == 0


def test_another_program_under_another_parent_is_another_process_even_without_an_exit() -> None:
    processes = state().processes
    processes.exec(7, T, name="old", argv=["old", "-x"], exepath="/old", ppid=5)
    new = processes.seen(7, T + SECOND_NS, name="new", exepath="/new", ppid=6)
    assert (new.args, new.ppid) == (None, 6)


def test_another_program_under_the_same_parent_is_an_exec_that_was_missed() -> None:
    processes = state().processes
    processes.exec(7, T, name="sh", argv=["sh", "-c", "x"], exepath="/bin/sh", ppid=5, uid=0)
    now = processes.seen(7, T + 1, name="x", exepath="/bin/x", ppid=5)
    assert (now.exepath, now.args, now.exe, now.uid) == ("/bin/x", None, None, 0)


def test_a_program_whose_file_is_deleted_is_still_the_same_program() -> None:
    processes = state().processes
    before = processes.exec(7, T, name="x", argv=["x", "-d"], exepath="/tmp/x", ppid=5)
    assert processes.seen(7, T + 1, name="x", exepath="/tmp/x (deleted)", ppid=5) is before


@pytest.mark.parametrize(("exepath", "from_memfd"), [("/memfd:x (deleted)", True), ("/usr/bin/memfd:x", False)])
def test_a_program_without_a_file_is_marked(exepath: str, from_memfd: bool) -> None:
    assert state().processes.exec(7, T, name="3", argv=["x"], exepath=exepath).exe_from_memfd is from_memfd


def test_a_new_name_of_the_same_program_shows_in_its_command_line() -> None:
    processes = state().processes
    processes.exec(7, T, name="python3", argv=["python3", "run.py"], exepath="/usr/bin/python3")
    assert processes.seen(7, T + 1, name="worker").cmdline == "worker run.py"


def test_sessions_and_groups_point_to_their_leaders() -> None:
    processes = state().processes
    processes.exec(5, T, name="bash", argv=["bash"], exepath="/bin/bash", sid=5, pgid=5)
    proc = processes.seen(7, T, name="cat", sid=5, pgid=7)
    assert (proc.session.now.name, proc.group.now.name) == ("bash", "cat")


def test_an_unknown_pid_is_a_process_with_only_that_pid_and_takes_no_place() -> None:
    processes = state().processes
    assert processes.get(4711) == Process(pid=4711)
    assert len(processes) == 0


def test_the_exited_stay_for_their_grace_and_no_longer() -> None:
    processes = state(exited_grace_ns=10 * SECOND_NS).processes
    processes.seen(7, T, name="a")
    processes.seen(8, T, name="b")
    processes.exit(7, T)
    assert processes.get(7).name == "a"
    processes.exit(8, T + 11 * SECOND_NS)
    assert processes.get(7).name is None
    assert processes.get(8).name == "b"
    assert processes.counters()["forgotten"] == 1


def test_no_more_than_so_many_exited_are_kept() -> None:
    processes = state(exited=3).processes
    for pid in range(10, 20):
        processes.seen(pid, T, name="x")
        processes.exit(pid, T)
    assert [pid for pid in range(10, 20) if processes.get(pid).name] == [17, 18, 19]


def test_when_the_table_is_full_the_exited_go_first_then_who_was_not_heard_of() -> None:
    processes = state(processes=3).processes
    for pid in (10, 11, 12):
        processes.seen(pid, T, name="x")
    processes.exit(11, T)
    processes.seen(13, T, name="x")  # in the place of 11
    processes.seen(14, T, name="x")  # the first round only takes their chances away, then 10 goes
    processes.seen(12, T, name="x")
    processes.seen(15, T, name="x")  # in the place of 13: 12 was asked for since
    assert [proc.pid for proc in processes] == [14, 12, 15]
    assert {name: processes.counters()[name] for name in ("evicted", "forgotten")} == {"evicted": 2, "forgotten": 1}


def test_a_chain_of_double_forks_holds_no_more_ancestors_than_the_limit() -> None:
    processes = state(lineage=8, exited=2).processes
    processes.exec(1, T, name="init", argv=["init"], exepath="/sbin/init")
    for pid in range(2, 200):
        processes.fork(pid - 1, pid, T + pid)
        if pid > 2:
            processes.exit(pid - 1, T + pid)
    assert len(ancestors(processes.get(199))) == 8
    assert processes.counters()["lineages_cut"] > 0


def test_a_deep_tree_of_living_processes_keeps_its_root_up_to_four_times_the_limit() -> None:
    processes = state(lineage=8).processes
    for pid in range(2, 34):
        processes.fork(pid - 1, pid, T)
    assert len(ancestors(processes.get(33))) == 32
    for pid in range(34, 60):
        processes.fork(pid - 1, pid, T)
    assert len(ancestors(processes.get(59))) == 32


def test_records_that_make_two_processes_each_others_parent_make_no_ring() -> None:
    processes = state().processes
    processes.seen(5, T, ppid=7, name="a")
    processes.seen(7, T, ppid=5, name="b")
    processes.seen(9, T, ppid=9, name="c")
    assert ancestors(processes.get(5)) == ["b"]
    assert ancestors(processes.get(7)) == []
    assert ancestors(processes.get(9)) == []


def test_arguments_beyond_the_limit_are_cut_and_counted() -> None:
    losses = Losses()
    processes = state(losses, args_bytes=10).processes
    proc = processes.exec(7, T, name="x", argv=["x", "12345", "67890", "more"], exepath="/x")
    assert proc.args == ("12345", "67")
    assert losses.counts == {("state.processes", "an argument list was cut at its limit"): 1}


def test_replay_opens_no_file_and_follows_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*args: object, **_: object) -> None:
        raise AssertionError(f"the host was touched: {args}")

    with monkeypatch.context() as patched:
        for name in ("open", "stat", "lstat", "readlink", "scandir", "listdir"):
            patched.setattr(f"os.{name}", touched)
        patched.setattr("builtins.open", touched)
        known = State(None, StillClock(), Limits(), Losses())
        known.seed()
        processes = known.processes
        processes.exec(5, T, name="sh", argv=["sh"], exepath="/bin/sh", ppid=1, uid=0, gid=0, sid=5)
        processes.fork(5, 6, T)
        processes.seen(6, T, uid=1000, exepath="/other", ppid=2)
        processes.sweep()
        processes.exit(6, T)
        assert list(known.repair()) == []
        assert processes.get(99) == Process(pid=99)
    assert processes.get(5).container.id is None
