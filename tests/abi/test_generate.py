"""The committed tables say what the host's headers say, as far as these know the words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ruleng.abi import flags, generate, ioctls, names


@pytest.mark.peers
@pytest.mark.parametrize(
    "table", ["OPEN", "CLONE", "PTRACE", "BPF", "SOCKET_FAMILY", "ERRNO", "CAPABILITIES", "SIGNALS", "IOCTL", "PRCTL"]
)
def test_a_table_agrees_with_the_headers(table: str) -> None:
    if shutil.which("gcc") is None or not Path("/usr/include/linux/bpf.h").exists():
        pytest.skip("gcc or linux-libc-dev is missing")
    committed = {**vars(flags), **vars(names), **vars(ioctls)}[table]
    found = generate.resolve(generate.TABLES[table][1], generate.headers(table))
    both = committed.keys() & found.keys()
    assert len(both) >= len(committed) * 0.9
    assert {word: found[word] for word in both} == {word: committed[word] for word in both}
