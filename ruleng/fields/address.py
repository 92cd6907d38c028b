"""Internet addresses and networks as integers, so that a comparison in a compiled rule costs one machine operation.

An IPv4 address is its 32-bit number; an IPv6 address is `1 << 128 | its 128-bit number`. A network is (mask, bits), and an
address lies in it when `address & mask == bits`. Every mask keeps the bits from 128 on, so the families never mix.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

IPV6 = 1 << 128
"""The bit that tells an IPv6 address from an IPv4 one."""


def parse_address(text: str) -> int:
    """The address that `text` writes, as inet_pton(3) reads it: dots alone are IPv4, a colon makes it IPv6.

    Raises ValueError, its message naming the text and what is wrong with it.
    """
    try:
        if ":" in text:
            return IPV6 | int.from_bytes(inet_pton(AF_INET6, text), "big")
        return int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):  # ValueError: a NUL, or characters that no address has
        raise ValueError(f"{text!r} is no IPv4 or IPv6 address") from None


def parse_network(text: str) -> tuple[int, int]:
    """(mask, bits) of a network in CIDR form; bits of the address past the prefix are ignored, as Falco does.

    Raises ValueError.
    """
    address, slash, length = text.partition("/")
    if not slash:
        raise ValueError(f"{text!r} has no prefix length; a network is written like 10.0.0.0/8")
    number = parse_address(address)
    width = 128 if number & IPV6 else 32
    if not (length.isascii() and length.isdecimal() and len(length) <= 3 and int(length) <= width):
        raise ValueError(f"{length!r} is no prefix length from 0 to {width}")
    mask = network_mask(width, int(length))
    return mask, number & mask


def network_mask(width: int, length: int) -> int:
    """The mask of a prefix of `length` bits in addresses of `width` bits (32 or 128), bit 128 included."""
    return IPV6 | ((1 << width) - (1 << (width - length)))


def from_bytes(packed: bytes) -> int | None:
    """The address of 4 or 16 bytes in network order, as a sockaddr holds them; None for any other number of bytes."""
    match len(packed):
        case 4:
            return int.from_bytes(packed, "big")
        case 16:
            return IPV6 | int.from_bytes(packed, "big")
        case _:
            return None


def format_address(address: int) -> str:
    """As inet_ntop(3) writes it: `10.0.0.1`, `2001:db8::1`."""
    if address & IPV6:
        return inet_ntop(AF_INET6, (address ^ IPV6).to_bytes(16, "big"))
    return inet_ntop(AF_INET, address.to_bytes(4, "big"))


def format_network(network: tuple[int, int]) -> str:
    """`10.0.0.0/8` of (mask, bits)."""
    mask, bits = network
    return f"{format_address(bits)}/{(mask ^ IPV6).bit_count()}"
