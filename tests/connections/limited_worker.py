"""Workers of their own that make requests under the shared limiter.

`URL TOKEN RATE COUNT WORKERS`; ends with 0 when every one of them could.
"""

import os
import sys

import django

django.setup()

from connections.constant_contact import Client  # noqa: E402 - after the set-up
from connections.limiter import SharedLimiter  # noqa: E402
from tests.connections.factories import FixedToken  # noqa: E402


def work(url: str, token: str, rate: str, count: str) -> None:
    client = Client(url, FixedToken(token), SharedLimiter("shared-key", int(rate), 1_000_000))
    for _ in range(int(count)):
        client.account_summary()


def main(*how: str, workers: str) -> bool:
    for _ in range(int(workers)):
        if os.fork() == 0:
            work(*how)
            os._exit(0)
    return all(os.wait()[1] == 0 for _ in range(int(workers)))


if __name__ == "__main__":
    *how, workers = sys.argv[1:]
    sys.exit(not main(*how, workers=workers))
