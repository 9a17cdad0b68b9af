from ipaddress import ip_network

import pytest

from adapters.inbound.http.client_address import UNKNOWN, client_address

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def said(peer: str | None, forwarded: str | None = None, real: str | None = None) -> str:
    headers = {}
    if forwarded is not None:
        headers[b"x-forwarded-for"] = forwarded.encode()
    if real is not None:
        headers[b"x-real-ip"] = real.encode()
    return client_address(peer, headers, TRUSTED)


@pytest.mark.parametrize("header", ["203.0.113.9", "10.1.1.1, 203.0.113.9"])
def test_what_a_stranger_says_of_itself_does_not_count(header: str) -> None:
    assert said("198.51.100.7", header, header) == "198.51.100.7"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("192.0.2.66 ,203.0.113.9 , 10.9.9.9,10.0.0.2", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ("10.2.2.2, 10.3.3.3", "10.2.2.2"),
        ("203.0.113.9, garbage", "10.0.0.1"),
        ("203.0.113.9, garbage, 10.5.5.5", "10.5.5.5"),
        ("", "10.0.0.1"),
        (", ,", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_is_believed_from_the_right_up_to_the_first_stranger(forwarded: str, address: str) -> None:
    assert said("10.0.0.1", forwarded) == address


def test_rotating_the_left_end_of_the_list_changes_nothing() -> None:
    assert {said("10.0.0.1", f"192.0.2.{number}, 203.0.113.9") for number in range(50)} == {"203.0.113.9"}


def test_x_real_ip_of_a_trusted_proxy_counts_where_it_is_the_only_word() -> None:
    assert said("10.0.0.1", None, "203.0.113.9") == "203.0.113.9"
    assert said("10.0.0.1", "203.0.113.8", "203.0.113.9") == "203.0.113.8"
    assert said("10.0.0.1", None, "nonsense") == "10.0.0.1"


def test_an_ipv6_client_is_its_whole_network_of_64_bits() -> None:
    assert said("2001:db8:1:2:aaaa::1") == said("2001:db8:1:2:bbbb::2") == "2001:db8:1:2::/64"
    assert said("2001:db8:1:3::1") == "2001:db8:1:3::/64"


def test_an_ipv4_address_in_ipv6_clothes_is_an_ipv4_address() -> None:
    assert said("::ffff:198.51.100.7") == "198.51.100.7"
    assert said("::ffff:10.0.0.1", "203.0.113.9") == "203.0.113.9"


@pytest.mark.parametrize("peer", [None, "", "testclient"])
def test_a_peer_without_an_address_is_one_unknown_caller(peer: str | None) -> None:
    assert said(peer, "203.0.113.9") == UNKNOWN
