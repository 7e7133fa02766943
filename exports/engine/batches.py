"""Batches: those to be sent, cut into the fewest requests that the provider's limits allow."""

from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from exports.configuration import RunConfiguration
from exports.engine import plan_sql
from exports.engine.judge import Judged

MAX_CONTACTS = 40_000
MAX_BYTES = 3_900_000


def requests_for(configuration: RunConfiguration, judged: Judged) -> int:
    """How many imports those who were judged take."""
    if not judged.sent:
        return 0
    with connection.cursor() as cursor:
        return len(_cuts(cursor, _envelope_bytes(configuration)))


def write_batches(configuration: RunConfiguration, judged: Judged, where: dict[str, Any]) -> None:
    """Writes each request, and the ledger of whom it carries."""
    head, tail = _envelope(configuration)
    batches, firsts = [], []
    with connection.cursor() as cursor:
        for number, cut in enumerate(_cuts(cursor, _envelope_bytes(configuration)), start=1):
            cursor.execute(
                plan_sql.INSERT_BATCH,
                {
                    **where,
                    "number": number,
                    "head": head,
                    "tail": tail,
                    "after": cut.after,
                    "last": cut.last,
                    "body_bytes": cut.bytes - 1 + len(head) + len(tail),
                },
            )
            batches.append(cursor.fetchone()[0])
            firsts.append(cut.after + 1)
        written = {**where, "batches": batches, "firsts": firsts}
        if judged.known:
            cursor.execute(plan_sql.UPDATE_DELIVERIES, written)
        if judged.known < judged.sent:
            cursor.execute(plan_sql.INSERT_DELIVERIES, written)


@dataclass(frozen=True)
class _Cut:
    after: int
    last: int
    bytes: int


def _cuts(cursor: Any, envelope_bytes: int) -> list[_Cut]:
    """The fewest batches that hold every contact to send, in order, within the limits."""
    cuts: list[_Cut] = []
    position = sent_bytes = 0
    while True:
        cursor.execute(
            plan_sql.LAST_OF_BATCH,
            {
                "position": position,
                "bytes": sent_bytes,
                "contacts": MAX_CONTACTS,
                "limit": MAX_BYTES - envelope_bytes,
            },
        )
        row = cursor.fetchone()
        if row is None:
            return cuts
        last, last_bytes = int(row[0]), int(row[1])
        cuts.append(_Cut(position, last, last_bytes - sent_bytes))
        position, sent_bytes = last, last_bytes


def _envelope(configuration: RunConfiguration) -> tuple[str, str]:
    lists = orjson.dumps([configuration.list_id]).decode()
    return '{"import_data":[', f'],"list_ids":{lists}}}'


def _envelope_bytes(configuration: RunConfiguration) -> int:
    return sum(len(part.encode()) for part in _envelope(configuration))
