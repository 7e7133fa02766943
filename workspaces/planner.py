"""What PostgreSQL's planner can't know: how many rows were written since it last counted."""

from typing import Any

# So many rows of a table by so many of another, compared one by one, are still done in a second.
MANY_ROWS = 2_000


def expect_rows(cursor: Any, rows: int) -> None:
    """Keeps nested loops out of this transaction's statements when they meet many rows.

    Statistics lag behind a load by a minute or more. A nested loop that was chosen for a table
    believed empty takes hours over a million rows, where hashing them takes seconds.
    """
    if rows > MANY_ROWS:
        cursor.execute("SET LOCAL enable_nestloop = off")


def share_the_work(cursor: Any) -> None:
    """Lets several processes work on this transaction's statements though they want every row.

    The planner prices the handing over of a row so high that it otherwise never does.
    """
    cursor.execute("SET LOCAL parallel_tuple_cost = 0.01")
