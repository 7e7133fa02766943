"""Statements asked so often that PostgreSQL plans them once for each connection.

To plan one of many small parts takes it several times as long as to answer it.
"""

import hashlib
from typing import Any
from weakref import WeakKeyDictionary

from django.db import OperationalError, connection
from psycopg2.errors import InvalidSqlStatementName

# Goes in one message with what executes it, so that a pooler sends both to the same process of
# PostgreSQL's; that may have prepared it for another connection before.
PREPARE = """
DO $do$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = '{name}') THEN
    EXECUTE $prepare$ PREPARE {name} ({types}) AS {sql} $prepare$;
  END IF;
END $do$;
"""
# Left to itself PostgreSQL would plan anew for each list: it supposes them to be longer than ours.
EXECUTE = "SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {name} ({values})"

_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Planned:
    """`sql` has its values as `%(name)s`, each with its `types`.

    In a transaction of somebody else's it is asked as it stands: neither a setting nor a failed
    attempt may be left in that.
    """

    def __init__(self, sql: str, **types: str) -> None:
        self.sql = sql
        digest = hashlib.sha256(sql.encode()).hexdigest()
        self.name = f"segue_{digest[:16]}"
        numbered = {name: f"${number}" for number, name in enumerate(types, 1)}
        self.prepare = PREPARE.format(
            name=self.name, types=", ".join(types.values()), sql=sql % numbered
        ).replace("%", "%%")
        self.execute = EXECUTE.format(
            name=self.name, values=", ".join(f"%({name})s" for name in types)
        )

    def ask(self, **values: Any) -> list[Any]:
        """The rows."""
        with connection.cursor() as cursor:
            if connection.in_atomic_block:
                cursor.execute(self.sql, values)
            else:
                self._execute(cursor, values)
            return cursor.fetchall()

    def _execute(self, cursor: Any, values: dict[str, Any]) -> None:
        prepared = _prepared.setdefault(cursor.connection, set())
        if self.name in prepared:
            try:
                cursor.execute(self.execute, values)
                return
            except OperationalError as error:
                # A pooler has lent another process of PostgreSQL's.
                if not isinstance(error.__cause__, InvalidSqlStatementName):
                    raise
        cursor.execute(self.prepare + self.execute, values)
        prepared.add(self.name)
