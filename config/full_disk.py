"""Whether something failed because a disk is full: the server's own, or PostgreSQL's."""

import errno
import os

FULL = {errno.ENOSPC, errno.EDQUOT}
# PostgreSQL's code for it.
DISK_FULL = "53100"


def is_full(problem: BaseException) -> bool:
    """DuckDB tells it in the system's words alone."""
    if isinstance(problem, OSError):
        return problem.errno in FULL
    if getattr(problem.__cause__, "pgcode", None) == DISK_FULL:
        return True
    return any(os.strerror(number) in str(problem) for number in FULL)
