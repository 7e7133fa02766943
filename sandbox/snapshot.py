"""Keeps the sandbox's state across restarts: written whole, from a fork, while it goes on."""

import os
import pickle
from contextlib import suppress
from pathlib import Path

from sandbox.state import State


def load(path: Path, state: State) -> None:
    """Raises ValueError when the file is not a sandbox's."""
    if not path.exists():
        return
    try:
        kept = pickle.loads(path.read_bytes())  # noqa: S301 - its own file
        state.__dict__.update(kept)
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError) as damaged:
        raise ValueError(f"{path} is not a sandbox's state: move it away") from damaged


def save(path: Path, state: State) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        pickle.dump(state.__dict__, file, pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def save_aside(path: Path, state: State) -> int:
    """Saves from a child process; returns its id."""
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(Exception):
            save(path, state)
            code = 0
        os._exit(code)
    return child
