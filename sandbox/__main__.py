"""`python -m sandbox`: the stand-in for Constant Contact as a program."""

import argparse
import gc
import sys

import uvicorn

from sandbox.app import create_app
from sandbox.configuration import Configuration
from sandbox.faults import KINDS, FaultMiddleware


def parser() -> argparse.ArgumentParser:
    faults = "\n".join(f"  {kind:20} {text}" for kind, text in KINDS.items())
    made = argparse.ArgumentParser(
        prog="sandbox",
        description="A stand-in for Constant Contact, strict about everything it documents.",
        epilog=(
            f"faults, as KIND[:name=value,...]:\n{faults}\n\n"
            "their values: count, probability, route (a pattern), after, seconds, status,\n"
            "retry_after. More can be ordered at /_control/ while it runs."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8765)
    made.add_argument("--latency", type=float, default=0.0, help="seconds a request takes")
    made.add_argument("--activity-latency", type=float, default=0.0, help="seconds of an activity")
    made.add_argument("--data", default="", help="keep the state in this file")
    made.add_argument("--rate-per-second", type=int, default=4)
    made.add_argument("--rate-per-day", type=int, default=10_000)
    made.add_argument("--token-rate", type=int, default=1, help="token requests a second")
    made.add_argument("--refresh-tokens", choices=["rotating", "long-lived"], default="rotating")
    made.add_argument("--client-id", default=Configuration.client_id)
    made.add_argument("--client-secret", default=Configuration.client_secret)
    made.add_argument("--seed", type=int, default=0, help="of faults with a probability")
    made.add_argument("--fault", action="append", default=[], metavar="KIND[:…]")
    return made


def main(arguments: list[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    try:
        app = create_app(
            Configuration(
                client_id=asked.client_id,
                client_secret=asked.client_secret,
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
    # A million contacts hold no cycles; looking for some among them costs seconds.
    gc.disable()
    uvicorn.run(
        FaultMiddleware(app, app.state.faults, app.state.configuration),
        host=asked.host,
        port=asked.port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
