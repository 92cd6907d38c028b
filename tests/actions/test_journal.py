"""The action log survives crashes and full disks."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ruleng.actions.journal import Journal, read_journal
from ruleng.errors import HostError
from tests.state.support import Losses


def test_entries_come_back_in_order_and_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "actions.jsonl"
    for number in (1, 2):
        with Journal(path, Losses()) as journal:
            journal.write({"number": number, "left out": None}, sync=True)
    assert read_journal(path) == ([{"number": 1}, {"number": 2}], 0)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with Journal(tmp_path / "actions.jsonl", Losses()):
        assert (tmp_path / "actions.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "actions.jsonl"
    path.write_bytes(b'{"number":1}\n{"numb')
    with Journal(path, Losses()) as journal:
        journal.write({"number": 2}, sync=True)
    assert read_journal(path) == ([{"number": 1}, {"number": 2}], 1)


def test_what_was_written_is_there_after_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "actions.jsonl"
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom ruleng.actions.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), None)\njournal.open()\n"
        "journal.write({'phase': 'intent'}, sync=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False, cwd=Path(__file__).parents[2])
    assert ended.returncode == -signal.SIGKILL
    assert read_journal(path) == ([{"phase": "intent"}], 0)


def test_bytes_that_are_no_text_are_written_as_escapes(tmp_path: Path) -> None:
    path = tmp_path / "actions.jsonl"
    with Journal(path, Losses()) as journal:
        journal.write({"name": "caf\udce9\nx"}, sync=True)
    assert json.loads(path.read_text()) == {"name": "caf\\udce9\nx"}


def test_a_full_disk_is_counted_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = Losses()

    def full(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(tmp_path / "actions.jsonl", losses) as journal:
        monkeypatch.setattr(os, "write", full)
        journal.write({"number": 1}, sync=True)
        monkeypatch.undo()
    assert losses.counts == {("actions.journal", f"the action log cannot be written: {os.strerror(errno.ENOSPC)}"): 1}


def test_a_log_that_cannot_be_opened_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"no/actions\.jsonl: the action log cannot be opened: No such file or directory") as caught:
        Journal(tmp_path / "no/actions.jsonl", Losses()).open()
    assert caught.value.hint == "name a file in an existing directory that only root can write to"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "actions.jsonl").symlink_to("/dev/null")
    with pytest.raises(HostError):
        Journal(tmp_path / "actions.jsonl", Losses()).open()


def test_without_a_path_nothing_is_kept() -> None:
    with Journal(None, Losses()) as journal:
        journal.write({"number": 1}, sync=True)
