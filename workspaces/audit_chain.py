"""Is the audit log whole? Its chain, computed anew; and what is older than a workspace keeps."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from workspaces import audit, audit_chain_sql
from workspaces.models import Workspace

MOST_FAULTS = 20
ROWS_AT_ONCE = 2_000


@dataclass
class Verdict:
    """What the chain says; `head` is its last digest, to be noted elsewhere and compared later.

    `faults` are the first few, `broken` how many there are.
    """

    entries: int = 0
    head: str = ""
    broken: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.broken

    def fault(self, text: str) -> None:
        self.broken += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)


def verify(workspace: Workspace) -> Verdict:
    """Computes every link of the workspace in scope anew."""
    verdict = Verdict()
    before, expected = b"", 1
    for number, digest, entry, text, is_there in _links(workspace):
        if number is None:
            verdict.fault(f"Entry {entry} hangs on no link: it was not added as entries are.")
            continue
        if not is_there and not verdict.head:
            # All up to here is older than the workspace keeps: the rest hangs from this link.
            before, expected = bytes(digest), number
        elif not is_there:
            verdict.fault(f"Entry {entry} is gone.")
        else:
            verdict.entries += 1
            if number != expected:
                verdict.fault(f"Links {expected} to {number - 1} are gone.")
            if hashlib.sha256(before + text.encode()).digest() != bytes(digest):
                verdict.fault(f"Entry {entry}, or the link before it, is not what it was.")
        before, expected, verdict.head = bytes(digest), number + 1, bytes(digest).hex()
    return verdict


def _links(workspace: Workspace) -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(audit_chain_sql.READ, {"workspace": workspace.pk})
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def forget_old(workspace: Workspace) -> int:
    """Lets go of what is older than the workspace keeps, and says so in the log."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT workspaces_forget_audit(%s)", [workspace.pk])
        gone = int(cursor.fetchone()[0])
        if gone:
            audit.record(workspace, "audit.forgotten", target=workspace, entries=gone)
    return gone
