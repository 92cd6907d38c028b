"""What samples of tracepoints mean: records and a /proc made of files -> events."""

from __future__ import annotations

from pathlib import Path

import pytest

from ruleng.abi.syscalls import X86_64
from ruleng.event import Event, Process
from ruleng.normalise.perf import PerfNormaliser, Record
from ruleng.normalise.perf.record import DELIVER, ENTER, EXEC, EXIT, FORK, GENERATE, LEAVE
from ruleng.ports import Demand
from ruleng.state import Limits, State
from tests.state.support import FakeProc, Losses, StillClock

OPENAT, CLOSE, KILL, CLONE, EXIT_GROUP, MMAP, SETUID = 257, 3, 62, 56, 231, 9, 105
PARENT, CHILD = 500, 501


class Host:
    """A shell, 500, and whatever a test adds to /proc."""

    def __init__(self, path: Path) -> None:
        self.proc = FakeProc(path)
        self.proc.add(PARENT, name="sh", argv=["sh"], exe="/bin/sh", ppid=1)
        self.losses = Losses()
        self.state = State(self.proc.reader(), StillClock(), Limits(), self.losses)
        self.state.seed()
        self.perf = PerfNormaliser(self.state, self.losses, X86_64)
        self.time_ns = 0

    def record(self, name: str, pid: int, *fields: object, tid: int | None = None) -> Record:
        self.time_ns += 1
        return (self.time_ns, name, 1, (pid, tid or pid, self.time_ns, *fields))

    def run(self, *records: Record) -> list[Event]:
        return self.perf.events(records, 10**12)

    def called(self, number: int, result: int, *args: int, pid: int = PARENT, bits: int = 64) -> list[Event]:
        six = (*args, *[0] * (6 - len(args)))
        enter = self.record(ENTER, pid, number, *six, 2 if bits == 64 else 1)
        return self.run(enter, self.record(LEAVE, pid, number, result))

    def process(self, pid: int) -> Process:
        return self.state.processes.get(pid)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "proc")


def test_a_program_that_starts_has_its_arguments_from_proc_and_its_parent_from_the_fork(host: Host) -> None:
    host.proc.add(CHILD, name="cat", argv=["cat", "/etc/a b"], exe="/usr/bin/cat", ppid=PARENT, uid=7)
    (host.proc.path / "501/comm").write_text("cat\n")
    fork = host.record(FORK, PARENT, CHILD, 0x1200000)
    (event,) = host.run(fork, host.record(EXEC, CHILD, "/usr/bin/cat"))
    proc = event.proc
    assert (event.type, event.result, event.cpu, event.origin, event.paths.name) == ("execve", 0, 1, "perf", "/usr/bin/cat")
    assert (proc.pid, proc.name, proc.args, proc.exepath, proc.uid) == (CHILD, "cat", ("/etc/a b",), "/usr/bin/cat", 7)
    assert proc.parent.now.name == "sh"
    assert event.args["args"] == ("/etc/a b",)
    assert host.losses.counts == {}


def test_a_program_that_has_ended_already_keeps_its_name_and_the_loss_of_the_rest_is_counted(host: Host) -> None:
    (event,) = host.run(host.record(FORK, PARENT, CHILD, 0), host.record(EXEC, CHILD, "/usr/bin/a-name-of-more-than-fifteen"))[-1:]
    assert (event.proc.name, event.proc.args, event.proc.exepath) == ("a-name-of-more-", None, None)
    assert event.proc.parent.now.name == "sh"
    assert list(host.losses.counts) == [
        ("perf.events", "a program had ended, or ran another one, before its arguments could be read from /proc")
    ]


def test_arguments_of_the_next_program_are_not_taken_for_those_of_this_one(host: Host) -> None:
    host.proc.add(CHILD, name="second", argv=["second", "--secret"], exe="/bin/second", ppid=PARENT)
    (host.proc.path / "501/comm").write_text("second\n")
    (event,) = host.run(host.record(EXEC, CHILD, "/bin/first"))
    assert (event.proc.name, event.proc.args) == ("first", None)


def test_a_program_named_relative_to_its_directory_has_an_absolute_path_too(host: Host) -> None:
    (event,) = host.run(host.record(EXEC, PARENT, "./run.sh"))
    assert (event.paths.name, event.paths.nameraw) == ("/home/run.sh", "./run.sh")


def test_a_process_ends_once_and_a_thread_of_it_is_no_process(host: Host) -> None:
    leaders = PerfNormaliser(host.state, host.losses, X86_64, leaders_only=True)
    thread, process = host.record(EXIT, PARENT, tid=777), host.record(EXIT, PARENT)
    assert leaders.events([thread], 0) == []
    (event,) = leaders.events([process], 0)
    assert (event.type, event.proc.name) == ("procexit", "sh")
    assert PARENT not in [proc.pid for proc in host.state.processes]


def test_a_call_is_its_beginning_and_its_end(host: Host) -> None:
    (event,) = host.called(OPENAT, -13, 2**64 - 100, 0x7F00, 0o101, 0o644)
    assert (event.type, event.result, event.fd_num, event.open_flags) == ("openat", -13, -1, 0o101)
    assert event.args == {"dirfd": -100, "flags": 0o101, "mode": 0o644}
    assert event.paths.name is None


def test_the_fifth_and_sixth_argument_are_there(host: Host) -> None:
    (event,) = host.called(MMAP, 0x7F0000000000, 0, 4096, 1, 2, 2**32 - 1, 8192)
    assert event.fd_num == -1
    assert event.args["offset"] == 8192


def test_an_open_file_is_named_by_what_its_descriptor_is_then(host: Host) -> None:
    target = host.proc.path.parent / "a file"
    target.write_text("")
    (host.proc.path / "500/fd").mkdir()
    (host.proc.path / "500/fd/3").symlink_to(target)
    (host.proc.path / "500/fdinfo").mkdir()
    (host.proc.path / "500/fdinfo/3").write_text("pos:\t0\nflags:\t0100000\nmnt_id:\t1\n")
    (event,) = host.called(OPENAT, 3, 2**64 - 100, 0x7F00)
    assert (event.fd.name, event.fd.type, event.fd.filename) == (str(target), "file", "a file")
    (gone,) = host.called(OPENAT, 4, 2**64 - 100, 0x7F00)
    assert (gone.fd_num, gone.fd.name) == (4, None)
    (to_write,) = host.called(OPENAT, 3, 2**64 - 100, 0x7F00, 1)
    assert to_write.fd.name is None  # what is there now was opened to read


def test_a_descriptor_that_was_given_out_again_is_not_taken_for_what_it_was(host: Host) -> None:
    target = host.proc.path.parent / "second"
    target.write_text("")
    (host.proc.path / "500/fd").mkdir()
    (host.proc.path / "500/fd/3").symlink_to(target)
    records = [host.record(LEAVE, PARENT, OPENAT, 3), host.record(LEAVE, PARENT, OPENAT, 3)]
    host.perf.look_ahead(records)
    events = host.run(*records)
    assert [event.fd.name for event in events] == [None, str(target)]
    later = [host.record(LEAVE, PARENT, OPENAT, 3)]
    assert [event.fd.name for event in host.perf.checked(events, later, 10**12)] == [None, None]


def test_calls_of_two_threads_do_not_mix(host: Host) -> None:
    one = host.record(ENTER, PARENT, CLOSE, 5, 0, 0, 0, 0, 0, 2, tid=601)
    two = host.record(ENTER, PARENT, CLOSE, 6, 0, 0, 0, 0, 0, 2, tid=602)
    ends = [host.record(LEAVE, PARENT, CLOSE, 0, tid=tid) for tid in (602, 601)]
    assert [event.fd_num for event in host.run(one, two, *ends)] == [6, 5]


def test_a_call_whose_beginning_was_not_seen_has_a_result_and_no_arguments(host: Host) -> None:
    (event,) = host.run(host.record(LEAVE, PARENT, OPENAT, 3))
    assert (event.type, event.result, event.args, event.open_flags) == ("openat", 3, {}, None)


def test_arguments_of_a_call_before_a_loss_are_not_given_to_one_behind_it(host: Host) -> None:
    host.run(host.record(ENTER, PARENT, CLOSE, 5, 0, 0, 0, 0, 0, 2))
    host.perf.missed()
    (event,) = host.run(host.record(LEAVE, PARENT, CLOSE, 0))
    assert event.fd_num is None


def test_a_call_that_never_returns_is_an_event_when_it_begins(host: Host) -> None:
    (event,) = host.run(host.record(ENTER, PARENT, EXIT_GROUP, 3, 0, 0, 0, 0, 0, 2))
    assert (event.type, event.result, event.args) == ("exit_group", None, {"status": 3})


def test_a_fork_is_the_parents_event_and_not_the_childs(host: Host) -> None:
    fork = host.record(FORK, PARENT, CHILD, 17)
    child = host.record(LEAVE, CHILD, CLONE, 0)
    assert host.run(fork, child) == []
    (event,) = host.called(CLONE, CHILD, 17)
    assert (event.proc.pid, event.result, event.args["flags"]) == (PARENT, CHILD, 17)
    assert host.process(CHILD).name == "sh"


def test_the_call_of_a_32_bit_program_is_not_mistaken_for_another_one(host: Host) -> None:
    assert host.called(11, 0, 1, 2, 3, bits=32) == []  # execve there, munmap here
    assert list(host.losses.counts) == [("perf.events", "a system call of a 32-bit program, whose numbers mean other calls")]


def test_after_a_call_that_changes_the_user_the_process_is_another_ones(host: Host) -> None:
    host.proc.add(PARENT, name="sh", argv=["sh"], exe="/bin/sh", ppid=1, uid=33)
    assert host.process(PARENT).uid == 0
    host.run(host.record(LEAVE, PARENT, SETUID, 0))
    assert host.process(PARENT).uid == 33


def test_a_kill_has_both_ends(host: Host) -> None:
    host.proc.add(CHILD, name="victim", ppid=1)
    (event,) = host.called(KILL, 0, CHILD, 9)
    assert event.signal is not None
    assert (event.signal.number, event.signal.code, event.signal.sender.name, event.signal.target.name) == (9, 0, "sh", "victim")


def test_a_signal_is_sent_by_one_and_delivered_to_another_with_what_it_does_there(host: Host) -> None:
    host.proc.add(CHILD, name="victim", ppid=1)
    masks = "SigPnd:\t0000000000000400\nShdPnd:\t0000000000000002\nSigBlk:\t0\nSigIgn:\t1000\nSigCgt:\t0000000000000200\n"
    with (host.proc.path / "501/status").open("a") as file:
        file.write(masks)
    sent, got = host.run(host.record(GENERATE, PARENT, 10, -6, CHILD, 0), host.record(DELIVER, CHILD, 10, -6, 0x5555))
    assert (sent.type, sent.proc.name, got.type, got.proc.name) == ("signal_generate", "sh", "signal_deliver", "victim")
    for event in (sent, got):
        signal = event.signal
        assert signal is not None
        assert (signal.number, signal.code, signal.sender.name, signal.target.name) == (10, -6, "sh", "victim")
        assert (signal.handler, signal.pending) == ("caught", ("SIGINT", "SIGSEGV"))


@pytest.mark.parametrize(
    ("number", "handler", "says"),
    [(15, 0, "default"), (15, 1, "ignored"), (15, 0x4000, "caught"), (9, 0x4000, "default")],
)
def test_what_a_target_does_with_a_signal_is_what_its_handler_says(host: Host, number: int, handler: int, says: str) -> None:
    (event,) = host.run(host.record(DELIVER, PARENT, number, 0, handler))
    assert event.signal is not None
    assert event.signal.handler == says
    assert event.signal.sender.pid is None


def test_a_signal_to_a_thread_is_one_to_its_process(host: Host) -> None:
    thread = host.proc.path / "601"
    thread.mkdir()
    (thread / "status").write_text(f"Name:\tsh\nTgid:\t{PARENT}\n")
    (event,) = host.run(host.record(GENERATE, PARENT, 10, -6, 601, 0))
    assert event.signal is not None
    assert event.signal.target.pid == PARENT


def test_only_what_is_demanded_becomes_an_event_and_is_looked_up(host: Host) -> None:
    host.perf.demand(Demand(event_types=frozenset({"openat"}), fields=frozenset({"proc.name"})))
    (host.proc.path / "500/fd").mkdir()
    (host.proc.path / "500/fd/3").symlink_to("/etc/passwd")
    assert host.called(CLOSE, 0, 3) == []
    assert host.run(host.record(EXEC, PARENT, "/bin/sh"), host.record(GENERATE, PARENT, 10, 0, 1, 0)) == []
    (event,) = host.called(OPENAT, 3, 2**64 - 100, 0)
    assert (event.args, event.fd.name, event.num) == ({}, None, 1)
