"""How gunicorn serves the pages: `gunicorn config.wsgi --config python:config.serving`.

The pages are made ready once, before the workers are made of that process: none of them makes its
first readers wait for templates, addresses and translations, and they share their memory.
"""

import atexit
import gc
import os
import sys
from typing import Any

preload_app = True
worker_class = "config.fair_worker.FairWorker"
workers = 3
threads = 4
timeout = 120
# Closed after two seconds, as is usual, a connection now and then goes away just as a browser or a
# proxy sends something by it.
keepalive = 75
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
# A socket to steer it by would lie in the user's home: not to be written in a container, and shared
# by two servers of one user.
control_socket_disable = True

# A thread that has waited for the database gets its turn from one that makes a long page after a
# millisecond; by Python's own 5, a page of 15 questions would wait fifteen times that.
TURN_SECONDS = 0.001
# Making a page leaves hardly a circle behind, and looking for some takes as long as a short page.
CIRCLES_AFTER = 20_000, 50, 100


def when_ready(server: Any) -> None:
    from config import turns
    from config.warmth import warm

    warm()
    turns.begin(worker_tmp_dir)
    gc.collect()
    # What is loaded by now stays: it need not be looked through again, nor copied by that.
    gc.freeze()
    atexit.register(gc.unfreeze)


def post_fork(server: Any, worker: Any) -> None:
    sys.setswitchinterval(TURN_SECONDS)
    gc.set_threshold(*CIRCLES_AFTER)


def on_exit(server: Any) -> None:
    from config import turns

    turns.end()
