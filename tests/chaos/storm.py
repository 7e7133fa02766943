"""A storm over one run: what is broken when, all of it by chance that a seed repeats."""

import time
from collections import Counter
from random import Random
from typing import Any

from tests.chaos.processes import POOL, System

# Each of these may cost every answer that is on its way, and what is tried while it lasts.
LOST_BY_A_RESTART = 4 * POOL
SLOW_SECONDS = 4
PASSING = ("cut_before", "cut_after", "throttled", "server_error", "slow")
ROUTES = ("contacts_json_import", "contacts_json_import", "GET /v3/activities", "/v3/")


class Storm:
    """Kills workers, now and then a service, and orders faults, until it has blown itself out."""

    def __init__(self, random: Random, system: System, kills: int) -> None:
        self.random = random
        self.system = system
        self.kills_left = kills
        self.killed: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self.other: Counter[str] = Counter()
        self.lost_at_most = 0
        self.slow_until = 0.0
        self.may_fail = False
        # Some storms come late, so that every stage has its share: planning alone takes half a run.
        early = ("queued", "planning")
        self.spares: tuple[str, ...] = random.choice([(), (), early, (*early, "sending")])
        self.next_at = time.monotonic() + self._pause()

    def _pause(self) -> float:
        """Often hard upon each other, at times long enough for everybody to be back at work."""
        return self.random.choice([self.random.uniform(0.05, 0.5), self.random.uniform(0.5, 2.2)])

    @property
    def is_over(self) -> bool:
        return self.kills_left <= 0

    def order_faults(self, import_may_fail: bool) -> None:
        """Those that the run is to meet; all but one pass by themselves."""
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            self._order_fault()
        if import_may_fail:
            self.may_fail = True
            self.system.sandbox.control(
                "fault", kind="activity_failed", count=1, route="contacts_json_import"
            )
            self.other["activity_failed"] += 1

    def _order_fault(self) -> None:
        kind = self.random.choice(PASSING)
        values: dict[str, Any] = {"count": self.random.choice([1, 1, 2])}
        if kind == "throttled" and self.random.random() < 0.5:
            values["retry_after"] = 1
        if kind == "slow":
            values["seconds"] = SLOW_SECONDS
            self.slow_until = time.monotonic() + SLOW_SECONDS
        route, after = self.random.choice(ROUTES), self.random.randrange(6)
        self.system.sandbox.control("fault", kind=kind, route=route, after=after, **values)
        self.other[kind] += 1
        self.lost_at_most += values["count"]

    def blow(self, stage: str) -> None:
        """Does what is due by now."""
        if self.is_over or stage in self.spares or time.monotonic() < self.next_at:
            return
        what = self.random.choices(
            ["kill", "fault", "redis", "postgres", "freeze", "beat"], [80, 6, 3, 3, 4, 4]
        )[0]
        if what == "kill":
            way = self.system.kill_one(self.random)
            if way is None:
                return
            self.killed[way] += 1
            self.stages[stage] += 1
            self.kills_left -= 1
            self.lost_at_most += POOL
        elif what == "fault":
            self._order_fault()
        elif what == "freeze":
            self.system.freeze_one(self.random)
            self.other["freeze"] += 1
        elif what == "beat":
            self.system.beat.kill_all()
            self.other["beat"] += 1
        else:
            getattr(self.system, f"restart_{what}")()
            self.other[what] += 1
            self.lost_at_most += LOST_BY_A_RESTART
        self.next_at = time.monotonic() + self._pause()
