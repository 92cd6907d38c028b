"""Messages of netlink as bytes, against what libaudit's structs say."""

import errno
import struct

import pytest

from ruleng.sources.audit.netlink import AUDIT_GET, Status, pack, refused, unpack


def test_a_message_has_the_kernels_header() -> None:
    message = pack(AUDIT_GET, 7, b"abcd", 5)
    assert struct.unpack("=IHHII", message[:16]) == (20, 1000, 5, 7, 0)
    assert unpack(message) == (1000, 7, b"abcd")


def test_a_record_keeps_its_payload_whatever_its_length_field_says() -> None:
    record = struct.pack("=IHHII", 3, 1300, 0, 0, 0) + b"audit(1.000:1): x"
    assert unpack(record) == (1300, 0, b"audit(1.000:1): x")


def test_the_padding_of_an_answer_is_no_part_of_it() -> None:
    assert unpack(pack(AUDIT_GET, 7, b"abc", 5) + b"\0") == (1000, 7, b"abc")


def test_what_is_too_short_is_no_message() -> None:
    assert unpack(b"short") is None


def test_status_survives_packing() -> None:
    status = Status(mask=1, enabled=1, failure=1, pid=812, backlog_limit=8192, lost=3, backlog_wait_time=60000)
    assert Status.unpack(status.pack()) == status


def test_the_shorter_status_of_older_kernels_is_understood() -> None:
    before_5_9 = struct.pack("=10I", 0, 1, 1, 812, 0, 320, 4, 0, 63, 60000)
    assert Status.unpack(before_5_9) == Status(
        enabled=1, failure=1, pid=812, backlog_limit=320, lost=4, feature_bitmap=63, backlog_wait_time=60000
    )


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EPERM, "run as root, or with CAP_AUDIT_CONTROL and CAP_AUDIT_READ"),
        (
            errno.ECONNREFUSED,
            "audit answers only in the host's own network and user namespace: run ruleng there, not in a container",
        ),
        (errno.EPROTONOSUPPORT, "this kernel was built without CONFIG_AUDIT"),
        (errno.EIO, None),
    ],
)
def test_a_refusal_says_what_to_do(number: int, hint: str | None) -> None:
    error = refused("opening it", number)
    assert (error.errno, error.hint) == (number, hint)
    assert str(error).startswith("audit: opening it: ")
