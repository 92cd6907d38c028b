"""Names of ids: from the host's files when live, from the records in replay."""

import os
from pathlib import Path

import pytest

from ruleng.event import NO_GROUP, NO_USER, Group, User
from ruleng.state.limits import Limits
from ruleng.state.users import Users, parse_group, parse_passwd
from tests.state.support import SECOND_NS, Losses, StillClock

PASSWD = b"root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh\n"
GROUP = b"root:x:0:\nstaff:x:50:alice,bob\n"


def host(path: Path, passwd: bytes = PASSWD, group: bytes = GROUP) -> Path:
    (path / "etc").mkdir(exist_ok=True)
    (path / "etc/passwd").write_bytes(passwd)
    (path / "etc/group").write_bytes(group)
    return path


def test_users_and_groups_have_the_rows_of_the_hosts_files(tmp_path: Path) -> None:
    users = Users(host(tmp_path), StillClock(), Limits(), Losses())
    assert users.user(1000) == User(1000, "alice", "/home/alice", "/bin/zsh")
    assert users.group(50) == Group(gid=50, name="staff")


def test_an_id_without_a_row_keeps_its_number_and_has_no_name(tmp_path: Path) -> None:
    users = Users(host(tmp_path), StillClock(), Limits(), Losses())
    assert users.user(4711) == User(uid=4711)
    assert users.group(4711) == Group(gid=4711)


@pytest.mark.parametrize("unset", [None, -1, 4294967295])
def test_an_unset_id_is_nobody(tmp_path: Path, unset: int | None) -> None:
    users = Users(host(tmp_path), StillClock(), Limits(), Losses())
    assert users.user(unset) is NO_USER
    assert users.group(unset) is NO_GROUP


def test_a_new_user_is_known_a_second_later(tmp_path: Path) -> None:
    clock = StillClock()
    users = Users(host(tmp_path), clock, Limits(), Losses())
    assert users.user(1001).name is None
    host(tmp_path, PASSWD + b"eve:x:1001:1001::/home/eve:/bin/sh\n")
    assert users.user(1001).name is None
    clock.time_ns += SECOND_NS
    assert users.user(1001).name == "eve"


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StillClock()
    users = Users(host(tmp_path), clock, Limits(), Losses())
    users.user(0)
    reads: list[Path] = []
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        reads.append(path)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    clock.time_ns += SECOND_NS
    users.user(0)
    assert reads == []


def test_broken_lines_are_counted_and_the_others_hold() -> None:
    not_users = b"# comment\n\n+::::::\nbroken\nalice:x:zero:0::/:\nhuge:x:99999999999:0::/:\n"
    passwd = not_users + b"bob:x:7:7::/b:/s\nbob2:x:7:7::/b:/s\n\xff:x:8:8::/:\n"
    users, broken = parse_passwd(passwd)
    assert [(user.uid, user.name) for user in users.values()] == [(7, "bob"), (8, "\udcff")]
    assert broken == 3
    groups, broken = parse_group(b"a:x:1:\nb:x\nc:x:-1:\n")
    assert groups == {1: Group(gid=1, name="a")}
    assert broken == 2


def test_a_host_without_a_user_database_is_counted_once_not_at_every_look(tmp_path: Path) -> None:
    clock, losses = StillClock(), Losses()
    users = Users(tmp_path, clock, Limits(), losses)
    for _ in range(3):
        assert users.user(0) == User(uid=0)
        clock.time_ns += SECOND_NS
    reason = os.strerror(2)
    assert losses.counts == {("state.users", f"{tmp_path}/etc/{name} cannot be read: {reason}"): 1 for name in ("passwd", "group")}


def test_a_database_that_is_too_large_is_counted_and_not_read(tmp_path: Path) -> None:
    losses = Losses()
    users = Users(host(tmp_path), StillClock(), Limits(database_bytes=len(GROUP)), losses)
    assert users.user(0).name is None
    assert users.group(0).name == "root"
    assert losses.counts == {("state.users", f"{tmp_path}/etc/passwd cannot be read: {os.strerror(27)}"): 1}


def test_in_replay_names_come_from_the_records_alone() -> None:
    users = Users(None, StillClock(), Limits(), Losses())
    assert users.user(0) == User(uid=0)
    users.learn_user(0, "root")
    users.learn_group(50, "staff")
    assert users.user(0) == User(uid=0, name="root")
    assert users.group(50) == Group(gid=50, name="staff")


def test_what_records_can_teach_is_bounded_and_counted() -> None:
    losses = Losses()
    users = Users(None, StillClock(), Limits(users=10), losses)
    for uid in range(25):
        users.learn_user(uid, f"user{uid}")
    assert users.user(24).name == "user24"
    assert users.user(0).name is None
    assert losses.counts == {("state.users", "the table of users or groups is full: the oldest entry went"): 16}
