"""An audit log of a minute on a small host, the rules that look at it, and what they say."""

from __future__ import annotations

_CALL = (
    "type=SYSCALL msg=audit({time}:{serial}): arch=c000003e syscall={number} success=yes exit={exit} a0=ffffff9c a1=7ffd0 a2={a2} "
    "a3=0 items=1 ppid={ppid} pid={pid} auid=1000 uid={uid} gid=1000 euid={uid} suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 "
    'ses=1 comm="{comm}" exe="{exe}" subj=unconfined key=(null)\n'
)
_CWD = 'type=CWD msg=audit({time}:{serial}): cwd="{cwd}"\n'
_PATH = (
    'type=PATH msg=audit({time}:{serial}): item=0 name="{path}" inode=12 dev=fe:00 mode=0100640 ouid=0 ogid=42 rdev=00:00 '
    "nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n"
)
_EOE = "type=EOE msg=audit({time}:{serial}): \n"

EXECVE, OPENAT, FCHMODAT = 59, 257, 268  # arch/x86/entry/syscalls/syscall_64.tbl


def _time(serial: int) -> str:
    """A millisecond for each."""
    return f"{1_700_000_000 + serial // 1000}.{serial % 1000:03}"


def opened(serial: int, path: str, *, comm: str = "cat", pid: int = 4711, uid: int = 0) -> str:
    return (_CALL + _CWD + _PATH + _EOE).format(
        time=_time(serial), serial=serial, number=OPENAT, exit=3, a2=0, ppid=4242, pid=pid, uid=uid, comm=comm,
        exe=f"/usr/bin/{comm}", cwd="/root", path=path,
    )  # fmt: skip


def executed(serial: int, *argv: str, pid: int = 4711, uid: int = 0) -> str:
    comm = argv[0]
    stamp = f"{_time(serial)}:{serial}"
    arguments = " ".join(f'a{number}="{text}"' for number, text in enumerate(argv))
    return (_CALL + f"type=EXECVE msg=audit({stamp}): argc={len(argv)} {arguments}\n" + _CWD + _PATH + _EOE).format(
        time=_time(serial), serial=serial, number=EXECVE, exit=0, a2=0, ppid=4242, pid=pid, uid=uid, comm=comm,
        exe=f"/usr/bin/{comm}", cwd="/root", path=f"/usr/bin/{comm}",
    )  # fmt: skip


LOG = (
    executed(101, "cat", "/etc/shadow")
    + opened(102, "/etc/shadow")
    + opened(103, "/etc/hostname", comm="vim", pid=4712)
    + executed(104, "nc", "-l", "4444", pid=4713, uid=1000)
    + opened(105, "/etc/shadow", comm="cat", pid=4714)
)

RULES = """\
rule "Shadow read" {
  desc:      "somebody reads the password hashes"
  condition: evt.type in (open, openat) and fd.name = /etc/shadow
  output:    "%fd.name read by %proc.name (%proc.pid)"
  priority:  warning
  tags:      [filesystem, attack.t1003.008]
}

rule "Listener" {
  desc:      "netcat"
  condition: evt.type = execve and proc.name = nc
  output:    "listens: %proc.cmdline by %user.uid"
  priority:  notice
  tags:      [network]
}

rule "Editor" {
  desc:      "an editor opens something"
  condition: evt.type = openat and proc.name = vim
  output:    "%proc.name opens %fd.name"
  priority:  debug
  enabled:   false
}
"""

SAID = [
    ("Shadow read", "/etc/shadow read by cat (4711)"),
    ("Listener", "listens: nc -l 4444 by 1000"),
    ("Shadow read", "/etc/shadow read by cat (4714)"),
]
"""What the enabled rules say of the log: rule and message."""
