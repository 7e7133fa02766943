"""Makes a worker's processes die of every plan, as of one that wants too much memory."""

import os
from typing import Any

from exports.engine import drive


def die(_run: Any) -> None:
    os._exit(137)


drive.plan_run = die  # type: ignore[assignment]
