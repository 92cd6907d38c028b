"""Rules and settings in a kernel that is a stand-in: what other hosts have that this one may not have."""

import errno
import os
from pathlib import Path
from typing import cast

import pytest

from ruleng.errors import HostError
from ruleng.ports import Demand
from ruleng.sources.audit.installed import Installation
from ruleng.sources.audit.kernel_rules import Owner, owner_of, pack
from ruleng.sources.audit.netlink import Control, Status
from ruleng.state import ProcReader
from tests.state.support import Losses

EXEC = Demand(event_types=frozenset({"execve"}), fields=frozenset())
DATAGRAMS = Demand(event_types=frozenset({"execve", "sendto"}), fields=frozenset())
DAEMONS = pack([(11, 0xC000003E, 0x40000000)], [59], "exec")
NEVER_TASK = b"\1\0\0\0" + bytes(4) + pack([], [], "")[8:].replace(b"\1\0\0\0", bytes(4), 1)


class Kernel:
    """Audit as far as an Installation sees it."""

    def __init__(self, *, enabled: int = 1, failure: int = 1, backlog_limit: int = 320, rules: tuple[bytes, ...] = ()) -> None:
        self.now = {"enabled": enabled, "failure": failure, "backlog_limit": backlog_limit, "backlog_wait_time": 60_000}
        self.present = list(rules)
        self.refuses: dict[bytes, int] = {}  # part of a rule -> errno
        self.is_broken = False

    def status(self) -> Status:
        return Status(**self.now)

    def set(self, status: Status, what: str) -> None:
        names = {1: "enabled", 16: "backlog_limit", 32: "backlog_wait_time"}
        self.now[names[status.mask]] = getattr(status, names[status.mask])

    def rules(self) -> list[bytes]:
        return list(self.present)

    def add_rule(self, rule: bytes) -> None:
        for part, number in self.refuses.items():
            if part in rule:
                raise HostError(f"audit: adding a rule: {os.strerror(number)}", errno=number)
        self.present.append(rule)

    def delete_rule(self, rule: bytes) -> None:
        if self.is_broken:
            raise HostError("audit: deleting a rule: no answer in 5 seconds")
        self.present.remove(rule)


def installation(kernel: Kernel, losses: Losses | None = None) -> Installation:
    control = cast("Control", kernel)  # only the methods above are used
    return Installation(control, ProcReader(), losses or Losses(), machine="x86_64", heavy=False, only_uid=None)


def own_ticks() -> int:
    return int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19])


def test_a_kernel_comes_back_as_it_was() -> None:
    kernel = Kernel(enabled=0, backlog_limit=64, rules=(DAEMONS,))
    before = dict(kernel.now)
    installed = installation(kernel)
    installed.take_over(8192, may_wait=True)
    installed.follow(EXEC)
    assert (kernel.now["enabled"], kernel.now["backlog_limit"], kernel.now["backlog_wait_time"]) == (1, 8192, 60_000)
    assert len(kernel.present) > 1
    installed.undo()
    assert (kernel.now, kernel.present) == (before, [DAEMONS])


def test_a_longer_queue_is_not_made_shorter_and_zero_asks_for_nothing() -> None:
    for limit, wanted in ((320, 320), (320, 0), (0, 8192)):
        kernel = Kernel(backlog_limit=limit)
        installation(kernel).take_over(wanted, may_wait=True)
        assert kernel.now["backlog_limit"] == limit


def test_no_program_waits_for_ruleng_when_nobody_else_empties_the_queue() -> None:
    kernel = Kernel()
    installed = installation(kernel)
    installed.take_over(0, may_wait=False)
    assert kernel.now["backlog_wait_time"] == 0
    installed.undo()
    assert kernel.now["backlog_wait_time"] == 60_000


def test_a_locked_kernel_is_left_alone_and_reported() -> None:
    kernel, losses = Kernel(enabled=2), Losses()
    before = dict(kernel.now)
    installed = installation(kernel, losses)
    installed.take_over(8192, may_wait=True)
    installed.follow(EXEC)
    installed.undo()
    reason = "audit is locked until the next boot (enabled 2): only what the rules in place record is seen"
    assert (kernel.now, kernel.present) == (before, [])
    assert installed.notes == (reason,)
    assert losses.counts == {("audit.rules", reason): 1}


def test_a_host_that_panics_on_a_lost_record_gets_no_rules_from_us() -> None:
    kernel = Kernel(failure=2)
    with pytest.raises(HostError, match="this host panics when audit loses a record") as caught:
        installation(kernel).take_over(8192, may_wait=True)
    assert caught.value.hint == "auditctl -f 1, or run with --audit-rules leave"
    assert kernel.present == []


def test_a_rule_that_hides_all_processes_is_reported_and_left() -> None:
    kernel, losses = Kernel(rules=(NEVER_TASK,)), Losses()
    installation(kernel, losses).take_over(0, may_wait=True)
    reason = "a rule `task,never` hides every process that starts from audit (auditctl -d task,never)"
    assert losses.counts == {("audit.rules", reason): 1}
    assert kernel.present == [NEVER_TASK]


def test_audit_that_was_off_says_who_is_not_seen() -> None:
    installed = installation(Kernel(enabled=0))
    installed.take_over(0, may_wait=True)
    (note,) = installed.notes
    assert note.startswith("processes that ran before audit was turned on")


def test_a_rule_that_an_older_kernel_refuses_leaves_the_others_and_is_named() -> None:
    kernel, losses = Kernel(), Losses()
    kernel.refuses[(113).to_bytes(4, "little")] = errno.EINVAL  # AUDIT_SADDR_FAM: before Linux 5.3
    installed = installation(kernel, losses)
    installed.take_over(0, may_wait=True)
    installed.follow(DATAGRAMS)
    assert kernel.present
    assert installed.left_out == {"sendto": "the kernel refuses its rule: audit: adding a rule: Invalid argument"}
    assert losses.counts["audit.rules", "the kernel refuses a rule: audit: adding a rule: Invalid argument"] > 0


def test_rules_of_the_dead_go_and_their_settings_are_restored() -> None:
    dead = pack([], [59], Owner(os.getpid(), own_ticks() + 1, 0, 64).key)  # our pid, another start: it was given away again
    bare = pack([], [59], "ruleng")
    kernel = Kernel(enabled=1, backlog_limit=8192, rules=(dead, DAEMONS, bare))
    installed = installation(kernel)
    installed.take_over(8192, may_wait=True)
    assert kernel.present == [DAEMONS]
    installed.follow(EXEC)
    installed.undo()
    assert (kernel.now["enabled"], kernel.now["backlog_limit"], kernel.present) == (0, 64, [DAEMONS])


def test_while_another_ruleng_lives_its_rules_and_the_settings_stay() -> None:
    living = Owner(os.getpid(), own_ticks(), 0, 64)
    rule = pack([], [257], living.key)
    kernel = Kernel(enabled=1, backlog_limit=8192, rules=(rule,))
    installed = installation(kernel)
    installed.take_over(8192, may_wait=True)
    installed.follow(EXEC)
    assert {(owner.enabled, owner.backlog_limit) for added in kernel.present if (owner := owner_of(added))} == {(0, 64)}
    installed.undo()
    assert (kernel.now["enabled"], kernel.now["backlog_limit"], kernel.present) == (1, 8192, [rule])


def test_following_the_rules_removes_what_is_not_needed_any_more() -> None:
    kernel = Kernel()
    installed = installation(kernel)
    installed.take_over(0, may_wait=True)
    installed.follow(DATAGRAMS)
    more = len(kernel.present)
    installed.follow(EXEC)
    assert len(kernel.present) < more
    assert len(kernel.present) == len(set(kernel.present))
    installed.undo()
    assert kernel.present == []


def test_what_cannot_be_undone_is_counted_and_the_rest_is_done() -> None:
    kernel, losses = Kernel(enabled=0), Losses()
    installed = installation(kernel, losses)
    installed.take_over(0, may_wait=False)
    installed.follow(EXEC)
    kernel.is_broken = True
    installed.undo()
    reason = "something of ruleng's may remain in the kernel: audit: deleting a rule: no answer in 5 seconds"
    assert losses.counts["audit.rules", reason] == len(kernel.present)
    assert kernel.now["backlog_wait_time"] == 60_000


def test_undoing_twice_does_nothing_more() -> None:
    kernel = Kernel(enabled=0)
    installed = installation(kernel)
    installed.take_over(0, may_wait=True)
    installed.undo()
    kernel.now["enabled"] = 1
    installed.undo()
    assert kernel.now["enabled"] == 1
