"""The second wall between workspaces: how PostgreSQL is told whose rows a statement may meet.

Every tenant table has a policy that compares `workspace_id` with the setting `segue.workspace_id`
(`workspaces.tenancy.RowSecurity`). Each statement carries the workspace of the scope that it is
made in, in the same message, as a setting of its own transaction: nothing of it outlives the
transaction, so that no connection, nor one that a pooler lends, takes it to whoever comes next.
Without a scope nothing is told, and then there is nothing to be seen.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django_scopes import get_scope, scope
from psycopg2 import extensions
from psycopg2.sql import Composable

SETTING = "segue.workspace_id"
# No workspace has this id. What is in scope then may be looked at, in the few tables that allow it.
EVERY_WORKSPACE = 0


@contextmanager
def across_workspaces() -> Iterator[None]:
    """Every workspace's rows of the few tables that say so: to be looked at, not to be changed.

    For what can't know its workspace yet: schedulers, sweepers, signing in.
    """
    with scope(workspace=EVERY_WORKSPACE, _enabled=False):
        yield


def _in_scope() -> str:
    workspace = get_scope().get("workspace")
    if workspace is None:
        return ""
    return str(int(getattr(workspace, "pk", workspace)))


class ScopedCursor(extensions.cursor):
    """Tells PostgreSQL with each statement which workspace is in scope."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        if self.name is None:
            super().execute(self._scoped(query), vars)
            return
        self._declared_in = _in_scope()
        if not self.withhold:
            self._tell()
            super().execute(query, vars)
            return
        # The rows are gathered when its transaction ends, in the scope of that transaction.
        with self.connection.cursor() as around:
            around.execute("BEGIN")
            try:
                self._tell()
                super().execute(query, vars)
            except BaseException:
                around.execute("ROLLBACK")
                raise
            around.execute("COMMIT")

    def executemany(self, query: Any, vars_list: Iterable[Any]) -> None:
        super().executemany(self._scoped(query), vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        super().copy_expert(self._scoped(sql), file, size)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        if self.name is not None and not self.withhold:
            # It is read as it is fetched, whatever was in scope meanwhile.
            self._tell()
        return super().fetchmany(self.arraysize if size is None else size)

    def _tell(self) -> None:
        with self.connection.cursor() as beside:
            extensions.cursor.execute(beside, f"SET LOCAL {SETTING} = '{self._declared_in}'")

    def _scoped(self, query: Any) -> Any:
        workspace, status = _in_scope(), self.connection.get_transaction_status()
        if status == extensions.TRANSACTION_STATUS_INERROR:
            return query
        if status == extensions.TRANSACTION_STATUS_IDLE and not workspace:
            return query
        telling = f"SET LOCAL {SETTING} = '{workspace}'; "
        if isinstance(query, Composable):
            return telling + query.as_string(self)
        return telling.encode() + query if isinstance(query, bytes) else telling + query
