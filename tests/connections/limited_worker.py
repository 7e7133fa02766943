"""A worker of its own that makes requests under the shared limiter: `URL TOKEN RATE COUNT`."""

import sys

import django

django.setup()

from connections.constant_contact import Client  # noqa: E402 - after the set-up
from connections.limiter import SharedLimiter  # noqa: E402
from tests.connections.factories import FixedToken  # noqa: E402


def main(url: str, token: str, rate: str, count: str) -> None:
    client = Client(url, FixedToken(token), SharedLimiter("shared-key", int(rate), 1_000_000))
    for _ in range(int(count)):
        client.account_summary()


if __name__ == "__main__":
    main(*sys.argv[1:])
