"""Nobody reaches by a source what only this system can reach."""

import socket
from typing import Any

import pytest

from segments.databases import addresses, rows
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Target
from tests.segments.databases import Server


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "127.1"])
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_host_that_is_this_machine_is_refused(kind: str, host: str) -> None:
    with pytest.raises(DatabaseProblem, match=r"private network|no host") as problem:
        rows.reach(Target(kind, host, 5432, "shop", "reader"), 5)
    assert problem.value.field == "host"


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(socket.AF_INET, 1, 6, "", (one, 5432)) for one in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **more: found)
    with pytest.raises(DatabaseProblem, match="private network"):
        addresses.checked("db.example.com", 5432)


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is nobody's but here, for one answer: who asked again would find no host."""
    answers = iter(["127.0.0.1"])
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *asked: Any, **more: Any) -> Any:
        if host != "changing.invalid":
            return real(host, *asked, **more)
        return real(next(answers, "10.255.255.1"), *asked, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    rows.reach(server.having(host="changing.invalid"), 5)
    assert next(answers, None) is None
