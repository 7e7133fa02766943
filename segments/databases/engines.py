"""Engines of SQLAlchemy, one for each use.

SQLAlchemy is imported by who needs it: each command and each worker would take a third of a second
longer to start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine


def over(driver: str, connect: Callable[[], Any]) -> Engine:
    """Over connections that are made here."""
    import sqlalchemy

    return sqlalchemy.create_engine(
        f"{driver}://", creator=connect, poolclass=sqlalchemy.NullPool, hide_parameters=True
    )


def at(driver: str, address: dict[str, Any], **options: Any) -> Engine:
    """Over the driver's own connections; `address` are the parts of a URL."""
    import sqlalchemy

    return sqlalchemy.create_engine(
        sqlalchemy.URL.create(driver, **address),
        poolclass=sqlalchemy.NullPool,
        hide_parameters=True,
        **options,
    )
