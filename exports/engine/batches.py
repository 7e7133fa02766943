"""Batches: those to be sent, cut into the fewest requests that the provider's limits allow."""

from typing import Any

import orjson
from django.db import connection

from exports.configuration import RunConfiguration
from exports.engine import plan_sql
from exports.engine.judge import Judged, Slice
from exports.engine.judge_sql import SLICE

MAX_CONTACTS = 40_000
MAX_BYTES = 3_900_000


def requests_for(configuration: RunConfiguration, judged: Judged) -> int:
    """How many imports those who were judged take."""
    with connection.cursor() as cursor:
        return len(_cuts(cursor, judged.slices, _envelope(configuration)))


def write_batches(configuration: RunConfiguration, judged: Judged, where: dict[str, Any]) -> None:
    """Writes each request, and whom it carries."""
    head, tail = envelope = _envelope(configuration)
    with connection.cursor() as cursor:
        after = 0
        for number, last in enumerate(_cuts(cursor, judged.slices, envelope), start=1):
            batch: dict[str, Any] = {
                "number": number,
                "head": head,
                "tail": tail,
                "after": after,
                "last": last,
            }
            cursor.execute(plan_sql.INSERT_BATCH, {**where, **batch})
            after = last


def _cuts(cursor: Any, slices: list[Slice], envelope: tuple[str, str]) -> list[int]:
    """The last number in `planned` of each of the fewest batches within the limits, in order."""
    most_bytes = MAX_BYTES - sum(len(part.encode()) for part in envelope)
    cuts: list[int] = []
    after = contacts = size = 0
    for one in slices:
        if contacts + one.contacts <= MAX_CONTACTS and size + one.bytes <= most_bytes:
            contacts, size = contacts + one.contacts, size + one.bytes
        else:
            cursor.execute(plan_sql.SIZES, {"after": one.last - SLICE, "last": one.last})
            for n, row_bytes in cursor.fetchall():
                if contacts == MAX_CONTACTS or size + row_bytes > most_bytes:
                    cuts.append(after)
                    contacts = size = 0
                contacts, size, after = contacts + 1, size + row_bytes, n
        after = one.last
    return [*cuts, after] if contacts else cuts


def _envelope(configuration: RunConfiguration) -> tuple[str, str]:
    lists = orjson.dumps([configuration.list_id]).decode()
    return '{"import_data":[', f'],"list_ids":{lists}}}'
