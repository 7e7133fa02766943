"""Keeps the parts of a running system alive: what ends is started again (honcho's manager)."""

import ctypes
import multiprocessing
import signal
import sys
import time
from functools import partial
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen, Process

QUICK_SECONDS = 10
LONGEST_PAUSE_SECONDS = 30
PR_SET_PDEATHSIG = 1


class Supervisor(Manager):
    """Runs what is added for ever, until it is told to stop by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = multiprocessing.Event()
        self._process_ctor = partial(KeptProcess, stopping=self.stopping)

    def terminate(self) -> None:
        self.stopping.set()
        super().terminate()


class KeptProcess(Process):
    """Starts its command again whenever it ends; more and more slowly if it ends at once."""

    def __init__(self, *args: Any, stopping: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stopping = stopping

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        self._events = events
        die_with_parent(signal.SIGKILL)
        if ignore_signals:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pause = 1.0
        while True:
            started = time.monotonic()
            status = self._run_once()
            if self.stopping.is_set():
                break
            if time.monotonic() - started > QUICK_SECONDS:
                pause = 1.0
            self._say(f"ended with status {status}; starting it again in {pause:.0f} s")
            if self.stopping.wait(pause):
                break
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
        self._send_message({"returncode": status}, type="stop")

    def _run_once(self) -> int:
        child = Popen(
            f"exec {self.cmd}",
            env=self.env,
            cwd=self.cwd,
            preexec_fn=prepare_child,
        )
        self._send_message({"pid": child.pid}, type="start")
        if self.stopping.is_set():
            child.terminate()
        for line in iter(child.stdout.readline, b""):
            self._send_message(line)
        return int(child.wait())

    def _say(self, text: str) -> None:
        self._send_message(f"{text}\n".encode())


def prepare_child() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(signal.SIGTERM)


def die_with_parent(number: signal.Signals) -> None:
    """Sends this process the signal when its parent dies, so that nothing is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
