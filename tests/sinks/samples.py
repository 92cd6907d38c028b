"""Alerts that the tests of sinks share."""

from __future__ import annotations

from typing import Any

from ruleng.alert import Alert, Outcome, Priority
from ruleng.event import Container, Event, Process, Task, User

TIME_NS = 1470327477881785348  # 2016-08-04T16:17:57.881785348Z

HOSTILE = "name\x1b[2J\nfake line \u202egpj.exe \udcff\udcfe end\x00"
"""A command line that a process may choose: erases the screen, forges a line, turns text around, is no UTF-8."""


def alert(number: int = 0, **changes: Any) -> Alert:
    """A small alert; alerts of different numbers differ in uuid, time and output."""
    given: dict[str, Any] = {
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "time_ns": TIME_NS + number,
        "rule": "open_from_cat",
        "priority": Priority.WARNING,
        "source": "syscall",
        "hostname": "host",
        "output": f"An open was seen (number={number} command=cat /dev/null)",
        "output_fields": {"proc.cmdline": "cat /dev/null"},
        "tags": ("filesystem", "process"),
    }
    return Alert(**given | changes)


def alerts(count: int, start: int = 0) -> list[Alert]:
    return [alert(start + number) for number in range(count)]


def shell() -> Alert:
    """With an event, actions, ATT&CK tags, held back ones, and fields of every kind."""
    parent = Process(pid=4000, name="runc", cmdline="runc init")
    web = Container(id="3b1f0a9c2d4e", name="web", image="acme/web:1.2", image_repository="acme/web", image_tag="1.2")
    bash = Process(
        pid=4711, ppid=4000, parent=Task(parent), name="bash", exe="bash", exepath="/bin/bash", cmdline="bash -i", cwd="/root",
        uid=0, user=User(uid=0, name="root"), container=web,
    )  # fmt: skip
    return alert(
        1,
        rule="Terminal shell in container",
        priority=Priority.CRITICAL,
        output="shell in web by root: bash -i",
        output_fields={
            "container.name": "web",
            "container.image.repository": None,
            "user.name": "root",
            "user.uid": 0,
            "proc.cmdline": "bash -i",
            "proc.pid": 4711,
            "proc.aname[1]": "runc",
            "proc.aname[2]": "containerd",
            "proc.tty": 34816,
            "proc.is_exe_writable": False,
            "proc.pid.ts": TIME_NS,
            "fd.name": "/etc/shadow",
            "container.label.app": "shop",
            "evt.arg.flags": "O_RDONLY|O_CLOEXEC",
            "proc.escape": ("ns.mnt", "root"),
        },
        tags=("shell", "container", "attack.execution", "attack.t1059.004", "T1609"),
        actions=(
            Outcome(action="kill", outcome="done", target="pid 4711 (bash)", time_ns=TIME_NS + 900_000),
            Outcome(action="freeze", outcome="refused", target="3b1f0a9c2d4e", error="protected by [guard] images"),
        ),
        suppressed=3,
        event=Event(type="execve", time_ns=TIME_NS + 1, proc=bash, num=12, tid=4711, origin="audit"),
    )


def hostile() -> Alert:
    """What a process and a broken recording can put into an alert at worst."""
    return alert(
        2,
        rule="bad\nrule \udcff",
        output=f"ran {HOSTILE}",
        output_fields={
            "proc.cmdline": HOSTILE,
            "evt.buffer": b"\xff\x00GET /\n",
            "evt.rawarg.size": 2**80,
            "evt.latency": -(2**70),
            "proc.load": float("nan"),
            "proc.share": float("inf"),
            "proc.args\udcff]": "x",
            "proc.env": ("A=\udcff", "B=2"),
        },
        tags=("b\udcff", "a"),
    )


def bare() -> Alert:
    """As little as an alert can have, at a time that no calendar knows."""
    return alert(3, time_ns=-(10**30), output="", output_fields={}, tags=(), hostname="", priority=Priority.DEBUG)


SAMPLES = {"plain": alert, "shell": shell, "hostile": hostile, "bare": bare}
