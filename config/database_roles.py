"""The role that web and workers take in PostgreSQL: it owns no table and no policy spares it.

`DATABASE_URL` may name the owner of the tables, as is simplest, or for web and workers a login
that is only a member of the role. Every connection takes the role; `migrate` alone stays the owner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import ProgrammingError

WORK_ROLE = "segue_work"
# The first release that has the privilege to ANALYZE what another role owns.
HAS_MAINTAIN = 170_000

CREATE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{WORK_ROLE}') THEN
        CREATE ROLE {WORK_ROLE} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another one was quicker
END $$
"""

MAY_TAKE_ROLE = f"SELECT pg_has_role(current_user, '{WORK_ROLE}', 'SET')"

TAKE_ROLE = f"GRANT {WORK_ROLE} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE"

# Not TRUNCATE, which no policy restrains.
GRANT = f"""
GRANT USAGE ON SCHEMA public TO {WORK_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WORK_ROLE};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {WORK_ROLE};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {WORK_ROLE}
"""

GRANT_MAINTAIN = f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {WORK_ROLE}"


RESTRICT = """;
REVOKE ALL ON {table} FROM {role};
GRANT {granted} ON {table} TO {role}"""


class NotAllowed(Exception):
    """The login may not make the role; the message says what somebody else has to do."""


@contextmanager
def as_owner(connection: Any) -> Iterator[None]:
    """The login of `DATABASE_URL` itself, without the role."""
    with _role(connection, None):
        yield


@contextmanager
def in_role_for_work(connection: Any) -> Iterator[None]:
    with _role(connection, WORK_ROLE):
        yield


@contextmanager
def _role(connection: Any, role: str | None) -> Iterator[None]:
    before = connection.settings_dict["OPTIONS"].get("assume_role")
    _take(connection, role)
    try:
        yield
    finally:
        _take(connection, before)


def _take(connection: Any, role: str | None) -> None:
    connection.settings_dict["OPTIONS"]["assume_role"] = role
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role or 'NONE'}")
    else:
        # The next use opens one that has the role.
        connection.close()


def ensure_role(connection: Any) -> None:
    """Makes the role, if need be, and lets it work with the tables. Raises `NotAllowed`."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(CREATE_ROLE)
            cursor.execute(MAY_TAKE_ROLE)
            if not cursor.fetchone()[0]:
                cursor.execute(TAKE_ROLE)
        except ProgrammingError as refusal:
            user = connection.settings_dict["USER"]
            raise NotAllowed(
                f"The role {WORK_ROLE}, which web and workers take, is missing, and this login may"
                f" not make it or take it. Let a superuser run: CREATE ROLE {WORK_ROLE}; GRANT"
                f' {WORK_ROLE} TO "{user}" WITH SET TRUE, INHERIT FALSE; then migrate again.'
            ) from refusal
        cursor.execute(GRANT + "".join(_restricted()))
        if connection.pg_version >= HAS_MAINTAIN:
            cursor.execute(GRANT_MAINTAIN)


def _restricted() -> Iterator[str]:
    for model in apps.get_models():
        granted = getattr(model, "granted", None)
        if granted:
            table = model._meta.db_table
            yield RESTRICT.format(table=table, role=WORK_ROLE, granted=granted)
