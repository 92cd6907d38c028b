"""Addresses as integers."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.fields.address import IPV6, format_address, format_network, from_bytes, parse_address, parse_network


@given(st.ip_addresses())
def test_an_address_reads_back_as_it_was_written(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    number = parse_address(str(address))
    assert number == (int(address) | (IPV6 if address.version == 6 else 0))
    assert ipaddress.ip_address(format_address(number)) == address
    assert from_bytes(address.packed) == number


@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 128))
def test_a_network_holds_exactly_the_addresses_that_share_its_prefix(
    base: ipaddress.IPv4Address | ipaddress.IPv6Address, other: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    length = min(length, base.max_prefixlen)
    mask, bits = parse_network(f"{base}/{length}")
    network = ipaddress.ip_network(f"{base}/{length}", strict=False)
    for address in (base, other):
        assert (parse_address(str(address)) & mask == bits) == (address in network)
    assert ipaddress.ip_network(format_network((mask, bits))) == network


def test_families_never_mix() -> None:
    mask, bits = parse_network("0.0.0.0/0")
    assert parse_address("::1") & mask != bits
    mask, bits = parse_network("::/0")
    assert parse_address("10.0.0.1") & mask != bits
    assert parse_address("::10.0.0.1") != parse_address("10.0.0.1")


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "localhost", "fe80::1%eth0", ":", "1.2.3.4\0", "\udc80"]
)
def test_what_is_no_address_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="no IPv4 or IPv6 address"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.0", "no prefix length"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("::/129", "from 0 to 128"),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/-1", "from 0 to 32"),
        ("10.0.0.0/\u0663", "from 0 to 32"),
        ("10.0.0.0/255.0.0.0", "from 0 to 32"),
        ("10.0.0/8", "no IPv4 or IPv6 address"),
    ],
)
def test_what_is_no_network_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_network(text)
