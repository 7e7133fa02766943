"""A run in each state that its page shows."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from exports.models import Run
from exports.whys import Why, why
from tests.exports.factories import (
    BatchFactory,
    DestinationFactory,
    RejectionFactory,
    RunFactory,
    SegmentFactory,
)

PEOPLE = {"in_segments": 812_345, "added": 700_000, "changed": 80_000, "unchanged": 31_000}
LEFT_OUT = {"duplicate": 900, "invalid": 400, "suppressed": 45}
SAID = "It said: “A rather long answer of the provider”"


def run_in(workspace: Any, state: str, **fields: Any) -> Run:
    now = timezone.now()
    destination = DestinationFactory(
        workspace=workspace, segments=[SegmentFactory(workspace=workspace)]
    )
    times = {
        "created_at": now - timedelta(seconds=70),
        "started_at": None if state == "queued" else now - timedelta(seconds=69),
        "planned_at": now - timedelta(seconds=60) if "added" in fields else None,
        "finished_at": None if state in Run.ACTIVE else now,
        "heartbeat_at": now,
    }
    run: Run = RunFactory(destination=destination, state=state, requests=21, **times | fields)
    return run


def with_batches(run: Run, *states: str) -> Run:
    now = timezone.now()
    for number, state in enumerate(states, start=1):
        gone = state != "planned"
        BatchFactory(
            run=run,
            number=number,
            state=state,
            contacts=40_000,
            body_bytes=3_812_345,
            sent_at=now - timedelta(seconds=50 - number) if gone else None,
            ended_at=now if state in ("confirmed", "failed") else None,
            activity_id=f"04fe9a97-a579-43c5-bb1a-58ed29bf000{number}" if gone else "",
            failure="batch_failed" if state == "failed" else "",
            why=why("import_timed_out", said="row 7") if state == "failed" else {},
            attempts=2 if state == "failed" else 1,
        )
    return run


def rejected(run: Run, *reasons: tuple[str, str]) -> Run:
    for kind, reason in reasons:
        RejectionFactory(run=run, kind=kind, reason=reason, address=f"{reason}@example.com")
    return run


def waits(minutes: float, for_what: Why) -> dict[str, Any]:
    return {"waiting_until": timezone.now() + timedelta(minutes=minutes), "why": for_what}


def in_every_state(workspace: Any) -> dict[str, Run]:
    account = {**PEOPLE, **LEFT_OUT}
    lanes = ("confirmed", "confirmed", "sent", "sent", "planned", "planned")
    ended = ("confirmed",) * 4
    leaving = {
        "to_remove": 15_000,
        "removal": {
            "sample": ["ann@example.com", "bob.with.a.long.name@example.com"],
            "held": 50_000,
        },
    }
    return {
        "queued": run_in(workspace, "queued"),
        "planning": run_in(workspace, "planning"),
        "planning, the list read back": run_in(
            workspace, "planning", **waits(0.5, why("reading_list", requests=4))
        ),
        "planning, the provider out of reach": run_in(
            workspace, "planning", **waits(4, why("unavailable", status=503, said=SAID))
        ),
        "awaiting approval": run_in(workspace, "awaiting_approval", **leaving, in_segments=35_000),
        "sending": with_batches(run_in(workspace, "sending", **account), *lanes),
        "sending, the day spent": with_batches(
            run_in(workspace, "sending", **account, **waits(300, why("budget_spent"))), *lanes
        ),
        "being cancelled": with_batches(
            run_in(workspace, "sending", **account, cancel_requested_at=timezone.now()), *lanes
        ),
        "confirming": with_batches(
            run_in(workspace, "confirming", **account, sent_at=timezone.now()), *ended[:2], "sent"
        ),
        "taking off": with_batches(
            run_in(
                workspace,
                "confirming",
                **account,
                sent_at=timezone.now(),
                to_remove=1200,
                removal={"step": "fill"},
                **waits(0.1, why("taking_off", count=1200)),
            ),
            *ended,
        ),
        "succeeded": with_batches(
            run_in(workspace, "succeeded", **account, sent_at=timezone.now(), removed=1200), *ended
        ),
        "nothing changed": run_in(
            workspace, "succeeded", in_segments=9, added=0, unchanged=9, sent_at=timezone.now()
        ),
        "succeeded with rejections": rejected(
            with_batches(
                run_in(
                    workspace,
                    "succeeded_with_rejections",
                    **account | {"added": 699_998},
                    rejected=2,
                    sent_at=timezone.now(),
                ),
                *ended,
            ),
            ("rejected", "on_hold"),
            ("rejected", "refused"),
            ("suppressed", "taken_off"),
        ),
        "failed": rejected(
            with_batches(
                run_in(
                    workspace,
                    "failed",
                    **account,
                    why=why("batches_failed", why("import_timed_out"), failed=1, all=2),
                ),
                "confirmed",
                "failed",
            ),
            ("rejected", "batch_failed"),
        ),
        "failed before it was planned": run_in(
            workspace, "failed", why=why("no_consent", name="Harbour Books")
        ),
        "cancelled": with_batches(run_in(workspace, "cancelled", **account), *ended[:1]),
        "skipped": run_in(workspace, "skipped", why=why("segment_empty", segment="Everyone")),
        "a trial": run_in(workspace, "succeeded", **account, dry_run=True, to_remove=15),
    }
