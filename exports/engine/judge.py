"""Judge: what becomes of every profile in the segments, as temporary tables and their counts."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Sum

from exports.configuration import RunConfiguration
from exports.engine import judge_sql, plan_sql
from segments import erased
from segments.models import Segment, Suppression
from workspaces.planner import expect_rows, share_the_work

FATES = ("added", "changed", "unchanged", "duplicate", "invalid", "suppressed", "rejected")


@dataclass(frozen=True)
class Judged:
    """What `planned` holds, and `counts` by fate of everybody, the settled included.

    `known` is how many to be sent are in the ledger; `new_owners` how many stand for an address
    in the place of another profile, with nothing to send.
    """

    counts: dict[str, int]
    known: int
    new_owners: int
    sample_of_settled: judge_sql.Statement

    @property
    def in_segments(self) -> int:
        return sum(self.counts.values())

    @property
    def sent(self) -> int:
        return self.counts["added"] + self.counts["changed"]

    @property
    def left_out(self) -> int:
        return self.in_segments - self.sent - self.counts["unchanged"]


def judge(configuration: RunConfiguration, *, full: bool, tidied: bool) -> Judged:
    """Makes the temporary tables of `judge_sql`, inside the caller's transaction.

    `tidied` says that nobody who opted out is left in the ledger.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        share_the_work(cursor)
        expect_rows(cursor, _members(configuration))
        cursor.execute(plan_sql.HAS_LEDGER, ledger_of(configuration))
        judging = judge_sql.judging(
            configuration,
            full=full,
            has_ledger=cursor.fetchone()[0],
            tidied=tidied,
            suppresses=Suppression.objects.exists(),
            erased=erased.parameters(configuration.workspace_id),
        )
        cursor.execute(judging.candidates.sql, judging.candidates.parameters)
        cursor.execute("ANALYZE candidate (settled, raw_address)")
        cursor.execute(judging.planned.sql, judging.planned.parameters)
        counts = dict.fromkeys(FATES, 0)
        known = new_owners = 0
        cursor.execute(judge_sql.COUNT_SETTLED)
        counts["unchanged"] = int(cursor.fetchone()[0])
        cursor.execute(judge_sql.COUNT)
        for fate, was_settled, is_known, count in cursor.fetchall():
            counts[fate] += count
            counts["unchanged"] -= count if was_settled else 0
            known += count if is_known and fate in ("added", "changed") else 0
            new_owners += count if fate == "unchanged" and not was_settled else 0
        if counts["added"] or counts["changed"]:
            cursor.execute(plan_sql.INDEX_POSITIONS)
            cursor.execute("ANALYZE planned (fate, address, position)")
    return Judged(counts, known, new_owners, judging.sample_of_settled)


def drop_judged() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE candidate, planned")


def ledger_of(configuration: RunConfiguration) -> dict[str, Any]:
    """What the SQL that meets the ledger needs to know."""
    return {
        "workspace": configuration.workspace_id,
        "destination": configuration.destination_id or 0,
        "account": configuration.account_id,
        "list": configuration.list_id,
    }


def _members(configuration: RunConfiguration) -> int:
    """How many the segments hold, as their refreshes counted them; one in two counts twice."""
    segments = Segment.objects.filter(pk__in=configuration.segment_ids)
    return int(segments.aggregate(members=Sum("member_count"))["members"] or 0)
