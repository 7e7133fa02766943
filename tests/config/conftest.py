"""A directory that an unprivileged PostgreSQL may reach: pytest closes its own to others."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="segue-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
