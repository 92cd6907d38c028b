"""System calls by number."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ruleng.abi import syscalls
from ruleng.abi.syscalls import AARCH64, EVENT_NAMES, I386, X32_BIT, X86_64


@pytest.mark.parametrize(
    ("arch", "number", "name"),
    [
        (X86_64, 59, "execve"),
        (X86_64, 257, "openat"),
        (X86_64, 17, "pread"),
        (X86_64, 166, "umount2"),
        (X86_64, 452, "fchmodat2"),
        (X86_64, X32_BIT | 520, "execve"),
        (X86_64, X32_BIT | 257, "openat"),
        (X86_64, 9999, None),
        (I386, 11, "execve"),
        (I386, 102, "socketcall"),
        (I386, 23, "setuid"),
        (I386, 213, "setuid"),
        (I386, 403, "clock_gettime"),
        (AARCH64, 221, "execve"),
        (AARCH64, 56, "openat"),
        (AARCH64, 79, "newfstatat"),
        (AARCH64, 1038, None),
        (0x12345678, 1, None),
    ],
)
def test_a_number_has_the_name_of_its_architecture(arch: int, number: int, name: str | None) -> None:
    assert syscalls.name(arch, number) == name


def test_an_event_name_may_have_several_numbers() -> None:
    assert syscalls.numbers(I386)["setuid"] == (23, 213)
    assert syscalls.numbers(X86_64)["execve"] == (59, X32_BIT | 520)
    assert syscalls.numbers(0x12345678) == {}


@pytest.mark.peers
@pytest.mark.parametrize(("arch", "name"), [(X86_64, "x86_64"), (I386, "i386"), (AARCH64, "aarch64")])
def test_the_tables_agree_with_those_of_audits_tools(arch: int, name: str) -> None:
    program = shutil.which("ausyscall")
    if program is None:
        pytest.skip("ausyscall (package auditd) is missing")
    lines = subprocess.run([program, name, "--dump"], capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    theirs = {int(number): word for number, word in map(str.split, lines)}
    ours = syscalls.names(arch) or {}
    known = {
        "getdents": "getdents64",
        "newfstat": "fstat",
        "sys_kexec_load": "kexec_load",
        "sched_rr_get_interval64": "sched_rr_get_interval",
    }
    differing = {
        number: (word, ours.get(number))
        for number, word in theirs.items()
        if ours.get(number) not in (word, EVENT_NAMES.get(word), known.get(word))
    }
    assert differing == {}
