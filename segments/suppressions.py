"""The workspace's suppression list: addresses that none of its exports sends, whoever has them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection, transaction
from django.db.models import F
from django.db.models.expressions import Combinable
from django.http import QueryDict
from django.utils.translation import gettext as _

from segments import erased
from segments.encodings import UnreadableFile, received
from segments.models import BLANKS, Suppression
from workspaces import audit, keyset
from workspaces.models import User, Workspace
from workspaces.prefixes import begins_with

LONGEST_ADDRESS = 254
LONGEST_REASON = 200
PAGE_SIZE = 50
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "address": (),
    "reason": (F("reason"),),
    "origin": (F("origin"),),
    "added": (F("added_at"),),
}
SHOWN_REFUSED = 20
# Signs that stand around addresses. An apostrophe may begin none, but O'Brien has one.
_AROUND = r"\s\x00-\x1f@,;:\"<>()\[\]\\"
# Each part has an end, so that a long line without any address takes no longer than others.
ADDRESS = re.compile(
    rf"(?<![^{_AROUND}'])(?!')[^{_AROUND}]{{1,64}}+@[\w.-]{{1,253}}\.[\w-]{{0,62}}\w"
)

# Addresses have no such sign: nothing is to be taken for a quote.
COPY_NEW = "COPY suppressed_new FROM STDIN (FORMAT csv, QUOTE E'\\x01')"

CREATE_NEW = 'CREATE TEMPORARY TABLE suppressed_new (address text COLLATE "C") ON COMMIT DROP'

ADD = """
INSERT INTO segments_suppression (workspace_id, address, reason, origin, added_by_id, added_at)
SELECT DISTINCT %(workspace)s, address, %(reason)s, %(origin)s, %(by)s::bigint, now()
FROM suppressed_new
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Added:
    """What became of the lines: addresses found, those new to the list, lines with none."""

    found: int
    added: int
    refused: int
    first_refused: list[tuple[int, str]] = field(default_factory=list)

    @property
    def known(self) -> int:
        return self.found - self.added


def add_text(workspace: Workspace, text: str, *, reason: str, by: User | None) -> Added:
    """Adds every address of a text, however they are separated."""
    lines = (
        (number, part)
        for number, line in enumerate(text.splitlines(), start=1)
        for part in ([match[0] for match in ADDRESS.finditer(line)] or [line])
    )
    return _add(workspace, lines, reason=reason, origin=Suppression.Origin.MEMBER, by=by)


def add_file(
    workspace: Workspace, blocks: Iterable[bytes], *, reason: str, by: User | None
) -> Added:
    """Adds the first address of every line of a text file. Raises `UnreadableFile`."""
    with received(blocks) as path, path.open(encoding="utf-8") as file_lines:
        lines = enumerate(file_lines, start=1)
        added = _add(workspace, lines, reason=reason, origin=Suppression.Origin.FILE, by=by)
    if not added.found:
        raise UnreadableFile(
            _("The file has no e-mail address. Choose one with an address on each line.")
        )
    return added


def remove(workspace: Workspace, addresses: Iterable[str], *, by: User | None) -> int:
    """Lets these be sent again; how many there were."""
    count, _each = Suppression.objects.filter(address__in=list(addresses)).delete()
    if count:
        audit.record(workspace, "suppression.removed", actor=by, target=workspace, count=count)
    return count


def page_of(query: QueryDict, *, count: int) -> keyset.Page[Suppression]:
    """The page of the list that a URL asks for, by the beginning of the address in `search` and by
    `origin`, too. `count` is how long the list is.
    """
    found = Suppression.objects.select_related("added_by")
    if search := query.get("search", "").replace("\0", "").strip():
        found = found.filter(begins_with("address", search.lower()))
    if query.get("origin") in Suppression.Origin.values:
        found = found.filter(origin=query["origin"])
    orders = keyset.orders_of(ORDERS, count)
    return keyset.page_of(found, orders, query, size=PAGE_SIZE, key="address")


class _Lines:
    """Tells apart, as they pass, the numbered lines with an address from those without."""

    def __init__(self, lines: Iterable[tuple[int, str]]) -> None:
        self.lines = lines
        self.refused = 0
        self.first_refused: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        for number, line in self.lines:
            match = ADDRESS.search(line)
            if match and len(match[0]) <= LONGEST_ADDRESS:
                yield match[0].strip(BLANKS).lower()
            elif line.strip(BLANKS + ',;"') and (number > 1 or "@" in line):
                # A first line without an address is a header.
                self.refused += 1
                if len(self.first_refused) < SHOWN_REFUSED:
                    self.first_refused.append((number, line.strip(BLANKS)[:100]))


def _add(
    workspace: Workspace,
    lines: Iterable[tuple[int, str]],
    *,
    reason: str,
    origin: str,
    by: User | None,
) -> Added:
    reading = _Lines(lines)
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "addresses"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{address}\n" for address in reading)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(CREATE_NEW)
            with path.open(encoding="utf-8") as file:
                cursor.copy_expert(COPY_NEW, file)
            cursor.execute("SELECT count(DISTINCT address) FROM suppressed_new")
            found = int(cursor.fetchone()[0])
            # They are not sent as it is, and not to be written down again.
            erased.drop_addresses(workspace.pk, "suppressed_new")
            cursor.execute(
                ADD,
                {
                    "workspace": workspace.pk,
                    "reason": reason.strip()[:LONGEST_REASON],
                    "origin": origin,
                    "by": by.pk if by else None,
                },
            )
            added = int(cursor.rowcount)
            cursor.execute("DROP TABLE suppressed_new")
            if added:
                audit.record(
                    workspace, "suppression.added", actor=by, target=workspace, count=added
                )
    return Added(found, added, reading.refused, reading.first_refused)
