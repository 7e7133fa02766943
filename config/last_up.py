"""What `manage.py up` last ran with on this machine, so that other commands speak to the same."""

import json
from pathlib import Path

from config import embedded


def remember(values: dict[str, str]) -> None:
    path = _path()
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(values, indent=1))
    temporary.replace(path)


def remembered() -> dict[str, str]:
    """Variables of the environment by name; none when it never ran."""
    try:
        found = json.loads(_path().read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _path() -> Path:
    return embedded.data_dir() / "up.json"
