"""Keeps the sandbox's state across restarts: written whole, from a fork, while it goes on."""

import asyncio
import os
import pickle
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sandbox.state import OPEN_STATES, Activity, State

# Changes with what a state holds; a file of another is put aside.
VERSION = 2
SECONDS = 5
INTERRUPTED = "The sandbox ended before the activity did."


def load(path: Path, state: State) -> None:
    """Raises ValueError when the file can't be read as a sandbox's."""
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            version = pickle.load(file)  # noqa: S301 - its own file
            kept = pickle.load(file) if version == VERSION else None  # noqa: S301
    except Exception as damaged:
        raise ValueError(f"{path} is not a sandbox's state: move it away") from damaged
    if kept is None:
        aside = path.with_name(f"{path.name}.old")
        path.replace(aside)
        said = f"{path} is of another version of the sandbox: kept as {aside}, starting anew"
        print(said, file=sys.stderr)  # noqa: T201 - this is its log
        return
    state.__dict__.update(kept)
    for account in state.accounts.values():
        _end_what_was_interrupted(account.activities.values(), state.now())
        account.open_activities = 0


def _end_what_was_interrupted(activities: Iterable[Activity], now: float) -> None:
    for activity in activities:
        if activity.state in OPEN_STATES:
            activity.state, activity.completed = "timed_out", now
            activity.percent, activity.errors = 100, [INTERRUPTED]


def save(path: Path, state: State) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        pickle.dump(VERSION, file)
        pickle.dump(state.__dict__, file, pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _save_aside(path: Path, state: State) -> int:
    """Saves from a child process; returns its id."""
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(Exception):
            # Else the port stays taken for as long as this outlives the sandbox.
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            save(path, state)
            code = 0
        os._exit(code)
    return child


class Keeper:
    """Saves when something changed, and at the end."""

    def __init__(self, path: Path, state: State) -> None:
        self.path = path
        self.state = state
        self.saved = state.changed
        self.child: int | None = None

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            if self._is_saving() or self.state.changed == self.saved:
                continue
            self.saved = self.state.changed
            self.child = _save_aside(self.path, self.state)

    def end(self) -> None:
        """Not before the child is done, whose older state would be the last word."""
        if self.child is not None:
            with suppress(ChildProcessError):
                os.waitpid(self.child, 0)
        save(self.path, self.state)

    def _is_saving(self) -> bool:
        if self.child is None:
            return False
        with suppress(ChildProcessError):
            if os.waitpid(self.child, os.WNOHANG) == (0, 0):
                return True
        self.child = None
        return False
