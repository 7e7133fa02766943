"""`python -m sandbox`: the stand-in for Constant Contact as a program."""

import argparse
import gc
import sys
from typing import NoReturn

import uvicorn

from sandbox.app import create_app
from sandbox.configuration import Configuration
from sandbox.faults import KINDS

# Contacts hold no cycles; looking for some among a million of them costs time.
GC_THRESHOLDS = (50_000, 50, 1_000)
STOP_SECONDS = 5
WRONG_ARGUMENTS = 64


class Parser(argparse.ArgumentParser):
    """Tells wrong arguments by the status that Segue's commands have for them."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG_ARGUMENTS, f"{self.prog}: error: {message}\n")


def parser() -> Parser:
    faults = "\n".join(f"  {kind:20} {text}" for kind, text in KINDS.items())
    made = Parser(
        prog="sandbox",
        description="A stand-in for Constant Contact, strict about everything it documents.",
        epilog=(
            f"faults, as KIND[:name=value,...]:\n{faults}\n\n"
            "  their values: count (how often; for ever if not said), probability, route (a\n"
            "  pattern to find in the path), after (how many go well first), seconds, status,\n"
            "  retry_after\n\n"
            "examples:\n"
            "  python -m sandbox --port 8765 --data sandbox.state\n"
            "  python -m sandbox --fault throttled:probability=0.05,retry_after=1\n"
            "  python -m sandbox --fault cut_after:count=1,route=contacts_json_import\n\n"
            "the page at / shows what arrived; /_control/ACTION orders faults and more while it\n"
            "runs (sandbox/README.md lists the actions)"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    made.add_argument("--port", type=int, default=8765, help="the port to listen at (8765)")
    made.add_argument("--latency", type=_seconds, default=0.0, help="seconds a request takes")
    made.add_argument(
        "--activity-latency",
        type=_seconds,
        default=0.0,
        help="seconds an activity waits before it is worked on",
    )
    made.add_argument("--data", default="", metavar="FILE", help="keeps the state in this file")
    made.add_argument("--rate-per-second", type=_count, default=4, help="API requests (4)")
    made.add_argument("--rate-per-day", type=_count, default=10_000, help="API requests (10000)")
    made.add_argument("--token-rate", type=_count, default=1, help="token requests a second (1)")
    made.add_argument(
        "--refresh-tokens",
        choices=["rotating", "long-lived"],
        default="rotating",
        help="whether each refresh gives a new refresh token (rotating)",
    )
    made.add_argument(
        "--client-id", default=Configuration.client_id, help=f"({Configuration.client_id})"
    )
    made.add_argument(
        "--client-secret",
        default=Configuration.client_secret,
        help=f"({Configuration.client_secret})",
    )
    made.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        metavar="URI",
        help="registers a redirect_uri, or many by a pattern with *; may be repeated (any at "
        "localhost, 127.0.0.1 and [::1])",
    )
    made.add_argument("--seed", type=int, default=0, help="of faults with a probability (0)")
    made.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[:…]",
        help="orders a fault, see below; may be repeated",
    )
    return made


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError("seconds are 0 or more")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("a rate is 0 or more")
    return count


def main(arguments: list[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    try:
        app = create_app(
            Configuration(
                client_id=asked.client_id,
                client_secret=asked.client_secret,
                redirect_uris=asked.redirect_uri,
                rate_per_second=asked.rate_per_second,
                rate_per_day=asked.rate_per_day,
                token_rate=asked.token_rate,
                rotating=asked.refresh_tokens == "rotating",
                latency=asked.latency,
                activity_latency=asked.activity_latency,
                seed=asked.seed,
                data=asked.data,
                faults=asked.fault,
            )
        )
    except ValueError as problem:
        sys.exit(f"sandbox: {problem}")
    gc.set_threshold(*GC_THRESHOLDS)
    uvicorn.run(
        app,
        host=asked.host,
        port=asked.port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


if __name__ == "__main__":
    main()
