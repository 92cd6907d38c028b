"""Numbers of the kernel's interface in words."""

from __future__ import annotations

import errno
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.abi import flags, ioctls, names
from ruleng.abi.words import (
    Choice,
    Flags,
    capability_bits,
    capability_names,
    error_name,
    error_number,
    ioctl_names,
    signal_name,
    signal_number,
)
from ruleng.fields import params, words

TABLES = sorted(
    {
        param.kind.words
        for name in params.EVENT_TYPES
        for param in params.event_type(name).params
        if words.has_table(param.kind.words)
    }
)


@given(st.sampled_from(TABLES), st.integers(0, 2**32 - 1))
def test_words_of_a_number_read_back_to_what_they_say(table: str, number: int) -> None:
    """Unknown bits are lost, so the number that the words give has the same words."""
    known = words.table(table)
    text = known.text(number)
    back = known.number(text)
    assert back is not None
    assert known.text(back) == text


@pytest.mark.parametrize(
    ("table", "number", "text"),
    [
        ("open", 0, "O_RDONLY"),
        ("open", 0o2, "O_RDWR"),
        ("open", 0o102, "O_CREAT|O_RDWR"),
        ("open", 0o2000000, "O_RDONLY|O_CLOEXEC"),
        ("open", 0o1101, "O_TRUNC|O_CREAT|O_WRONLY"),
        ("open", 0o20200002, "O_TMPFILE|O_RDWR"),
        ("open", 0o4010001, "O_SYNC|O_WRONLY"),
        ("fd_flags", 0, "O_NONE"),
        ("fd_flags", 0o2004000, "O_NONBLOCK|O_CLOEXEC"),
        ("mode", 0, "0"),
        ("mode", 0o4001, "S_IXOTH|S_ISUID"),
        ("mknod", 0o20600, "S_IWUSR|S_IRUSR|S_IFCHR"),
        ("mknod", 0o600, "S_IWUSR|S_IRUSR"),
        ("access", 0, "F_OK"),
        ("access", 5, "R_OK|X_OK"),
        ("domain", 1, "AF_LOCAL|AF_UNIX"),
        ("domain", 17, "AF_PACKET"),
        ("domain", 200, "200"),
        ("futex", 129, "FUTEX_PRIVATE_FLAG|FUTEX_WAKE"),
        ("ptrace", 16, "PTRACE_ATTACH"),
        ("ptrace", 4, "PTRACE_POKETEXT"),
        ("bpf", 5, "BPF_PROG_LOAD"),
        ("bpf", 10, "BPF_PROG_TEST_RUN"),
        ("clone", 0x10020000, "CLONE_NEWNS|CLONE_NEWUSER"),
        ("mount", 0x1000 | 1, "RDONLY|BIND"),
        ("prot", 0, "PROT_NONE"),
        ("prot", 7, "PROT_READ|PROT_WRITE|PROT_EXEC"),
        ("mmap", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"),
        ("exec", 5, "EXE_WRITABLE|EXE_FROM_MEMFD"),
        ("module", 8, "8"),
    ],
)
def test_words_are_falcos(table: str, number: int, text: str) -> None:
    assert words.table(table).text(number) == text
    assert words.table(table).number(text) == number


@pytest.mark.parametrize(
    ("table", "text", "number"),
    [
        ("open", "O_CREAT", 0o100),
        ("open", "4", 4),
        ("fd_flags", "", 0),
        ("domain", "AF_UNIX", 1),
        ("ptrace", "16", 16),
        ("mode", "S_X", None),
        ("open", "O_X|O_RDWR", None),
        ("domain", "AF_X", None),
    ],
)
def test_words_are_read(table: str, text: str, number: int | None) -> None:
    assert words.table(table).number(text) == number


def test_unknown_bits_alone_show_as_a_number() -> None:
    assert Flags({"A": 1}).text(4) == "4"
    assert Flags({"A": 1}).text(5) == "A"
    assert Choice({"A": 1}).text(4) == "4"


def test_errors_have_the_names_of_the_host() -> None:
    for number, name in errno.errorcode.items():
        assert error_number(name) == number or error_name(number) == name
    assert (error_name(2), error_name(11), error_name(95), error_name(512), error_name(9999)) == (
        "ENOENT",
        "EAGAIN",
        "EOPNOTSUPP",
        "ERESTARTSYS",
        "9999",
    )
    assert (error_number("EWOULDBLOCK"), error_number("ERESTARTSYS"), error_number("EFOO")) == (11, 512, None)
    assert set(names.ERRNO.values()) <= set(range(1, 134))


def test_signals_have_the_names_of_the_host() -> None:
    for known in signal.Signals:
        assert signal_number(known.name) == known.value
    assert (signal_name(9), signal_name(34), signal_name(35), signal_name(0), signal_name(99)) == (
        "SIGKILL",
        "SIGRTMIN",
        "SIGRTMIN+1",
        "0",
        "99",
    )
    assert [signal_number(text) for text in ("kill", "15", "SIGRTMAX", "SIGRTMIN+2", "SIGRTMIN+99", "SIGFOO", "0", "")] == [
        9,
        15,
        64,
        36,
        None,
        None,
        None,
        None,
    ]


@given(st.integers(0, 2**41 - 1))
def test_capabilities_read_back(bits: int) -> None:
    assert capability_bits(capability_names(bits)) == bits


def test_capabilities_have_falcos_form() -> None:
    assert capability_names(1 << 21 | 1) == "CAP_CHOWN CAP_SYS_ADMIN"
    assert capability_bits("CAP_NO_SUCH") is None


def test_names_of_ioctl_commands() -> None:
    assert ioctl_names()[0x5412] == "TIOCSTI"
    assert ioctls.IOCTL["TIOCSTI"] == 0x5412


def test_flags_have_one_bit_or_are_known_compounds() -> None:
    compounds = {
        word
        for table in (flags.OPEN, flags.CLONE, flags.AT, flags.MOUNT, flags.MODE)
        for word, bit in table.items()
        if bit.bit_count() > 1
    }
    assert compounds == {"O_SYNC", "O_TMPFILE"}
