"""Engines of SQLAlchemy over connections that are made here, one for each use."""

from collections.abc import Callable
from typing import Any

import sqlalchemy


def over(driver: str, connect: Callable[[], Any]) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(
        f"{driver}://", creator=connect, poolclass=sqlalchemy.NullPool, hide_parameters=True
    )
