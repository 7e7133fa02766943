"""Forks Celery workers of a process that has loaded whatever they need: they are ready in a moment.

Each line of standard input is an order, settings and arguments as JSON; each line of the output
the process number of the worker that carries it out.
"""

import json
import os
import signal
import sys

from django.conf import settings

from config.celery import app


def main() -> None:
    app.loader.import_default_modules()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, sys.stdin.fileno())
            os.dup2(nowhere, sys.stdout.fileno())
            for name, value in order["settings"].items():
                setattr(settings, name, type(getattr(settings, name))(value))
            app.worker_main(["worker", *order["arguments"]])
            os._exit(1)
        print(pid, flush=True)  # noqa: T201 - the answer to the order


if __name__ == "__main__":
    # Whoever ended leaves nothing behind that anybody had to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    main()
