"""Files below /proc as values, golden ones and hostile ones."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.errors import InputError
from ruleng.state import procfs
from ruleng.state.procfs import CgroupLine, IdRange, MountLine, Stat

# Linux 6.18: a shell on a terminal; a kernel thread
SHELL = b"10511 (sleep) S 1 10511 10511 34816 -1 4194560 110 0 0 0 0 0 0 0 20 0 1 0 192043 2531328 233 18446744073709551615 0 0\n"
KTHREAD = b"30 (kauditd) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 21 0 0 18446744073709551615 0 0 0 0 0 0 0 2147483647 0\n"


def stat_named(name: bytes) -> bytes:
    return SHELL.replace(b"(sleep)", b"(" + name + b")")


def test_stat_of_a_process_on_a_terminal() -> None:
    assert procfs.parse_stat(SHELL) == Stat(10511, "sleep", "S", 1, 10511, 10511, 34816, 4194560, 1, 192043)


def test_a_kernel_thread_is_known_by_its_flag() -> None:
    assert procfs.parse_stat(KTHREAD).is_kernel_thread
    assert not procfs.parse_stat(SHELL).is_kernel_thread


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"a) S 1 1 (b", "a) S 1 1 (b"),
        (b")", ")"),
        (b"((", "(("),
        (b"two\nlines", "two\nlines"),
        (b"tmux: server", "tmux: server"),
        (b"\xff\xfe", "\udcff\udcfe"),
        (b"", ""),
    ],
)
def test_a_name_in_stat_may_hold_anything(name: bytes, text: str) -> None:
    stat = procfs.parse_stat(stat_named(name))
    assert (stat.name, stat.ppid, stat.start_ticks) == (text, 1, 192043)


@pytest.mark.parametrize(
    "data", [b"", b"1", b"1 (x", b"1 x) S", b"1 (x) S 1 1", b"x (x) " + b"S 1 " * 20, SHELL.replace(b"34816", b"tty")]
)
def test_a_stat_that_the_kernel_did_not_write_is_an_error_that_says_why(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^stat: "):
        procfs.parse_stat(data)


def test_status_of_a_container_process_has_ids_virtual_pids_and_capabilities() -> None:
    status = procfs.parse_status(
        b"Name:\tsh\\nUid:\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t10511\nPid:\t10511\n"
        b"Uid:\t1000\t0\t0\t0\nGid:\t100\t101\t0\t0\n"
        b"NStgid:\t10511\t7\t1\nNSpid:\t10511\t7\t1\nNSpgid:\t10511\t7\t3\nVmSize:\t    3060 kB\nThreads:\t2\n"
        b"CapInh:\t0000000000000000\nCapPrm:\t000001fffeffffff\nCapEff:\t0000000000000400\n"
    )
    assert (status.uid, status.euid, status.gid, status.egid) == (1000, 0, 100, 101)
    assert (status.vpid, status.vpgid, status.vm_size_kb, status.vm_rss_kb, status.threads) == (1, 3, 3060, None, 2)
    assert (status.cap_inheritable, status.cap_permitted, status.cap_effective) == (0, 0x1FFFEFFFFFF, 0x400)


@pytest.mark.parametrize("data", [b"Uid:\n", b"Uid:\tx\t1\n", b"Uid:\t1\n", b"CapEff:\tzz\n", b"VmSize: kB\n"])
def test_a_status_line_without_its_number_is_an_error_that_shows_the_line(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^status: no number in the line '"):
        procfs.parse_status(data)


@pytest.mark.parametrize(
    ("data", "argv"),
    [
        (b"", ()),
        (b"cat\0", ("cat",)),
        (b"cat\0/etc/shadow\0", ("cat", "/etc/shadow")),
        (b"a\0\0b\0\0", ("a", "", "b", "")),
        (b"nginx: worker process", ("nginx: worker process",)),
        (b"caf\xe9\0two\nlines\0", ("caf\udce9", "two\nlines")),
    ],
)
def test_command_lines_as_programs_leave_them(data: bytes, argv: tuple[str, ...]) -> None:
    assert procfs.parse_cmdline(data, 4096) == (argv, False)


def test_a_command_line_beyond_the_limit_is_cut_and_says_so() -> None:
    assert procfs.parse_cmdline(b"abc\0defgh\0", 6) == (("abc", "de"), True)


def test_environment_entries_may_be_empty_or_odd() -> None:
    assert procfs.parse_environ(b"A=1\0\0NOVALUE\0B=x=y\0", 4096) == (("A=1", "NOVALUE", "B=x=y"), False)
    assert procfs.parse_environ(b"A=1\0BCD=2\0", 5) == (("A=1", "B"), True)


@pytest.mark.parametrize(("data", "loginuid"), [(b"4294967295", -1), (b"0", 0), (b"1000\n", 1000)])
def test_login_uids(data: bytes, loginuid: int) -> None:
    assert procfs.parse_loginuid(data) == loginuid


def test_a_login_uid_that_is_no_number_is_an_error() -> None:
    with pytest.raises(InputError, match="loginuid: 'root' is no number"):
        procfs.parse_loginuid(b"root")


def test_cgroup_paths_may_hold_colons() -> None:
    assert procfs.parse_cgroup(b"4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/x\n") == (
        CgroupLine(4, ("cpu", "cpuacct"), "/a:b"),
        CgroupLine(1, ("name=systemd",), "/"),
        CgroupLine(0, (), "/x"),
    )


@pytest.mark.parametrize("data", [b"x", b"x::/", b"1:/", b"99999999999999999999::/", b"::/"])
def test_a_cgroup_line_of_another_form_is_an_error(data: bytes) -> None:
    with pytest.raises(InputError, match="is not NUMBER:CONTROLLERS:PATH"):
        procfs.parse_cgroup(data)


def test_id_maps_tell_what_a_user_namespace_calls_an_id() -> None:
    ranges = procfs.parse_id_map(b"         0     100000      65536\n     70000       1000          1\n")
    assert ranges == (IdRange(0, 100000, 65536), IdRange(70000, 1000, 1))
    assert [procfs.id_inside(ranges, uid) for uid in (100000, 100999, 1000, 165536, 0)] == [0, 999, 70000, None, None]


def test_an_id_map_that_is_not_three_numbers_is_an_error() -> None:
    with pytest.raises(InputError, match="id map: '0 1' is not three numbers"):
        procfs.parse_id_map(b"0 1\n")


@pytest.mark.parametrize(
    ("link", "inode"), [("mnt:[4026531841]", 4026531841), ("mnt:[]", None), ("/bin/x", None), ("", None), ("mnt:[٣]", None)]
)
def test_namespace_links(link: str, inode: int | None) -> None:
    assert procfs.parse_namespace(link) == inode


def test_mount_points_are_unescaped() -> None:
    line = rb"65 43 0:31 /sub\040dir /mnt/a\134b\011c rw,relatime shared:1 master:2 - overlay overlay rw,upperdir=/u,lowerdir=/l"
    assert procfs.parse_mountinfo(line + b"\n") == (
        MountLine(65, "/sub dir", "/mnt/a\\b\tc", "overlay", "rw,upperdir=/u,lowerdir=/l"),
    )


@pytest.mark.parametrize(
    ("data", "text"), [(rb"a\040b", "a b"), (rb"\4", r"\4"), (rb"\999", r"\999"), (rb"\777", r"\777"), (b"\\", "\\")]
)
def test_only_octal_escapes_of_one_byte_are_escapes(data: bytes, text: str) -> None:
    assert procfs.unescape(data) == text


@given(st.binary(max_size=300))
def test_no_bytes_make_a_parser_raise_anything_but_an_input_error(data: bytes) -> None:
    procfs.parse_cmdline(data, 100)
    procfs.parse_environ(data, 100)
    for parse in (
        procfs.parse_stat,
        procfs.parse_status,
        procfs.parse_cgroup,
        procfs.parse_loginuid,
        procfs.parse_id_map,
        procfs.parse_mountinfo,
    ):
        with suppress(InputError):
            parse(data)


@given(st.binary(max_size=40).filter(lambda name: b"\0" not in name))
def test_the_name_of_a_process_comes_out_of_stat_as_it_went_in(name: bytes) -> None:
    assert procfs.parse_stat(stat_named(name)).name.encode("utf-8", "surrogateescape") == name
