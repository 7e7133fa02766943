"""Whether anything has moved in a workspace: one short statement, however many pages are open.

Each app adds what of its own takes time and shows on pages while it goes on.
"""

from django.db import connection
from django_scopes import scope

DIGEST = "SELECT md5(string_agg(text, ' ' ORDER BY text)) FROM ({}) moving (text)"

_going_on: list[str] = []


def add(sql: str) -> None:
    """Adds a SELECT of one text column, of the rows of `%(workspace)s` that are not at their end.

    All that pages show of a row while it goes on is in its text, and as little else as can be.
    """
    _going_on.append(sql)


def of(workspace_id: int) -> str:
    """A text that is another one as soon as something has moved, has begun or has ended."""
    with scope(workspace=workspace_id), connection.cursor() as cursor:
        cursor.execute(DIGEST.format(" UNION ALL ".join(_going_on)), {"workspace": workspace_id})
        return str(cursor.fetchone()[0])
