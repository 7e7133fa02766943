"""A gunicorn worker that leaves new connections to those that have fewer.

The kernel wakes all of them for each connection, always in the same order, and the first takes it.
Browsers keep theirs open, so one process would answer nearly everybody, and the others nobody.
"""

import socket
import time

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

# For each connection that it has already; long beside what waking up takes.
HOLDS_BACK_SECONDS = 0.0005
MOST_SECONDS = 0.01


class FairWorker(ThreadWorker):
    def accept(self, listener: socket.socket) -> None:
        time.sleep(min(self.nr_conns * HOLDS_BACK_SECONDS, MOST_SECONDS))
        super().accept(listener)
