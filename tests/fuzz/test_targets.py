"""Every seed of the fuzzer is quickly digested, whole and cut short: the fuzzer itself runs in CI."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import TARGETS, audit, seeds


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_no_target_raises_on_its_seeds_whole_or_cut_short(target: str) -> None:
    digest = TARGETS[target]
    for seed in list(seeds(target))[:12]:
        digest(seed)
        digest(seed[: len(seed) // 3])
        digest(seed.replace(b"=", b"\xff", 3))


def test_the_audit_target_reads_events_and_not_only_complaints() -> None:
    line = (
        b"type=SYSCALL msg=audit(1700000000.123:1): arch=c000003e syscall=59 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0 ppid=1 "
        b"pid=2 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 "
        b'comm="a" exe="/a" key=(null)\n'
    )
    assert [event.type for event in audit(b"\x28" + line)] == ["execve"]
