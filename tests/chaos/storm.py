"""A storm over one run: what is broken after which pause, all of it by chance that a seed repeats.

Every blow has a chance of its own, so that the next one is the same however this one went: when a
run ends, how far its storm has come is up to the machine, what it is made of is not.
"""

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

    def __init__(self, seed: str, system: System, kills: int) -> None:
        self.seed = seed
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
        spares = [(), (), early, (*early, "sending")]
        self.spares: tuple[str, ...] = self._chance("spares").choice(spares)
        self.blows: list[str] = []
        self._draw()

    def _chance(self, *what: object) -> Random:
        return Random(f"{self.seed}/{what}")  # noqa: S311 - it is to be repeatable

    def _draw(self) -> None:
        """The next blow: often hard upon the last, at times once everybody is back at work."""
        random = self._chance(len(self.blows))
        pause = random.choice([random.uniform(0.05, 0.5), random.uniform(0.5, 2.2)])
        self.next_at = time.monotonic() + pause
        self.next = random.choices(
            ["kill", "fault", "redis", "postgres", "freeze", "beat"], [80, 6, 3, 3, 4, 4]
        )[0]
        self.pause = pause

    @property
    def is_over(self) -> bool:
        return self.kills_left <= 0

    def order_faults(self, import_may_fail: bool) -> None:
        """Those that the run is to meet; all but one pass by themselves."""
        random = self._chance("faults")
        for _ in range(random.choice([0, 1, 1, 2, 3])):
            self._order_fault(random)
        if import_may_fail:
            self.may_fail = True
            self.system.sandbox.control(
                "fault", kind="activity_failed", count=1, route="contacts_json_import"
            )
            self.other["activity_failed"] += 1

    def _order_fault(self, random: Random) -> None:
        kind = random.choice(PASSING)
        values: dict[str, Any] = {"count": random.choice([1, 1, 2])}
        if kind == "throttled" and random.random() < 0.5:
            values["retry_after"] = 1
        if kind == "slow":
            values["seconds"] = SLOW_SECONDS
            self.slow_until = time.monotonic() + SLOW_SECONDS
        route, after = random.choice(ROUTES), random.randrange(6)
        self.system.sandbox.control("fault", kind=kind, route=route, after=after, **values)
        self.other[kind] += 1
        self.lost_at_most += values["count"]

    def blow(self, stage: str) -> None:
        """Does what is due by now."""
        if self.is_over or stage in self.spares or time.monotonic() < self.next_at:
            return
        what, random = self.next, self._chance(len(self.blows), "how")
        told = what
        if what == "kill":
            way = self.system.kill_one(random)
            if way is None:
                return
            told = f"kill {way}"
            self.killed[way] += 1
            self.stages[stage] += 1
            self.kills_left -= 1
            self.lost_at_most += POOL
        elif what == "fault":
            self._order_fault(random)
        elif what == "freeze":
            self.system.freeze_one(random)
            self.other["freeze"] += 1
        elif what == "beat":
            self.system.beat.kill_all()
            self.other["beat"] += 1
        else:
            getattr(self.system, f"restart_{what}")()
            self.other[what] += 1
            self.lost_at_most += LOST_BY_A_RESTART
        self.blows.append(f"{self.pause:.1f} s {told}")
        self._draw()
