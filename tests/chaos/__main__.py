"""`make chaos`: real workers are killed at random while they run exports of 20,000 profiles.

Starts a PostgreSQL, a Redis, a sandbox, two workers and a scheduler of its own. Round after round
people change, a run starts, a storm goes over it, and at its end every invariant is looked at.
Exits with status 1, and the line that replays it, when one does not hold.

A seed repeats who changes, what is ordered and what is broken in which order after which pauses,
round by round: each round's second line tells it, to be compared. What a process is doing at that
moment, and how far a storm comes before its run ends, is up to the machine, as it is in life.
"""

import argparse
import secrets
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from tests.chaos.processes import System, running

PROFILES = 20_000
# How long a run may take once nothing disturbs it any more.
PATIENCE_SECONDS = 120
Answer = TypeVar("Answer")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Chaos:
    def __init__(self, system: System, seed: int, kills: int, profiles: int) -> None:
        from tests.chaos.people import People
        from tests.chaos.watch import Watch
        from tests.chaos.world import build

        self.system = system
        self.sandbox = system.sandbox
        self.seed = seed
        self.kills = kills
        self.people = People.born(profiles)
        self.world = build(self.sandbox, self.people)
        self.watch = Watch(self.world.list_id, self.sandbox, self.world.token)
        self.watch.begin()
        self.killed: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self.other: Counter[str] = Counter()
        self.runs = self.batches = self.again = 0

    def chance(self, *what: object) -> Random:
        """A chance of its own for each thing, so that none depends on how long another took."""
        return Random(f"{self.seed}/{what}")  # noqa: S311 - it is to be repeatable

    def go(self) -> None:
        self.system.mend()
        calm = False
        while not calm:
            calm = sum(self.killed.values()) >= self.kills
            self.round(calm=calm)

    def round(self, *, calm: bool) -> None:
        """People change, a run goes over it, and everything is looked at.

        A run that an ordered fault made fail is followed by one that nothing disturbs.
        """
        from exports.models import Run

        number, began = self.runs, time.monotonic()
        changes = "the first run"
        if number:
            changes = self.people.live(self.chance(number, "people"), number)
            changes += self._say_no(self.chance(number, "no"))
            asked(lambda: self.world.store(self.people))
        run, storm = self._run(number, calm=calm)
        say(
            f"{number:3}  {time.monotonic() - began:5.1f} s  {run.state}: {run.added} added,"
            f" {run.changed} changed, {run.removed} removed, {run.rejected} rejected; {changes};"
            f" {dict(storm.killed)} {dict(storm.other)}"
        )
        if storm.blows:
            say(f"     {', '.join(storm.blows)}")
        if run.state == Run.State.FAILED:
            self.round_that_mends()

    def round_that_mends(self) -> None:
        from exports.models import Run

        run, _ = self._run(self.runs, calm=True)
        say(f"     and the next one mends it: {run.state}, {run.sent} sent")
        assert run.state != Run.State.FAILED

    def _say_no(self, random: Random) -> str:
        """Some unsubscribe, some are taken off by hand: both are to be for good."""
        on_list = {contact["email"] for contact in self.sandbox.members(self.world.list_id)}
        listed = sorted(on_list & self.people.on_list().keys() & self.people.owners().keys())
        gone = random.sample(listed, random.choice([0, 2, 15]))
        taken = set(random.sample(listed, random.choice([0, 2, 15]))) - set(gone)
        for address in gone:
            self._unsubscribe(address)
        for address in sorted(taken):
            self.sandbox.control("take_off", email=address, list_id=self.world.list_id)
            self.people.taken_off.add(address)
        return f", {len(gone)} unsubscribed, {len(taken)} taken off"

    def _unsubscribe(self, address: str) -> None:
        if self.sandbox.control("contact", email=address) is not None:
            self.sandbox.control("unsubscribe", email=address)
            self.people.unsubscribed.add(address)

    def _run(self, number: int, *, calm: bool) -> Any:
        from exports.models import Run
        from tests.chaos.storm import Storm
        from tests.chaos.watch import ensure

        random = self.chance(number, "storm")
        left = self.kills - sum(self.killed.values())
        kills = 0 if calm else min(left, random.randint(5, 12))
        storm = Storm(f"{self.seed}/{number}", self.system, kills)
        refused = self.people.unsubscribed | self.people.taken_off
        unsubscribed = set(self.people.unsubscribed)
        if not calm:
            storm.order_faults(import_may_fail=number > 0 and random.random() < 0.08)
        run = asked(self.world.start)
        late = random.choice([0, 0, 3]) if number and not calm else 0
        leavers = random.sample(sorted(self.people.owners()), late)
        self._let_it_blow(run, storm, leavers)
        self.runs += 1
        self.killed += storm.killed
        self.stages += storm.stages
        self.other += storm.other
        ensure(
            run.state in (Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS)
            or (run.state == Run.State.FAILED and storm.may_fail),
            f"run {run.pk} ended as {run.state}: {run.reason}",
        )
        ensure(
            run.rejected <= late or storm.may_fail,
            f"{run.rejected} were rejected, and {late} had a reason",
        )
        time.sleep(max(0.0, storm.slow_until - time.monotonic()))
        self.again += asked(
            lambda: self.watch.everything_holds(
                run, self.people, refused, unsubscribed, lost=storm.lost_at_most
            )
        )
        self.batches += asked(run.batches.count)
        return run, storm

    def _let_it_blow(self, run: Any, storm: Any, leavers: list[str]) -> None:
        """Until the run has ended: first with the storm, then, if it must be, without."""
        from tests.chaos.watch import Broken

        calm_since = None
        while asked(lambda: self.world.is_active(run)):
            self.system.mend()
            if leavers and run.state == run.State.SENDING:
                self._unsubscribe(leavers.pop())
            storm.blow(_stage(run))
            if storm.is_over and calm_since is None:
                calm_since = time.monotonic()
            if calm_since and time.monotonic() - calm_since > PATIENCE_SECONDS:
                raise Broken(
                    f"run {run.pk} is {_stage(run)} and does not end, {PATIENCE_SECONDS} s after"
                    f" the last disturbance. It waits until {run.waiting_until}: {run.reason}"
                    f" {run.removal} {run.read_back}"
                )
            time.sleep(0.03)
        self.sandbox.control("clear_faults")
        self.system.mend()


def _stage(run: Any) -> str:
    return "removing" if run.state == "confirming" and run.removal.get("step") else str(run.state)


def asked(question: Callable[[], Answer]) -> Answer:
    """The answer, whatever becomes of the connection: PostgreSQL may just have been restarted."""
    from django.db import Error, connection

    for _ in range(5):
        try:
            return question()
        except Error:
            connection.close()
            time.sleep(0.2)
    return question()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="of live workers (500)")
    parser.add_argument("--seed", type=int, help="repeats a storm; by chance if not said")
    parser.add_argument("--profiles", type=int, default=PROFILES, help=f"({PROFILES})")
    asked_for = parser.parse_args(arguments)
    seed = secrets.randbelow(10**9) if asked_for.seed is None else asked_for.seed
    replay = f"python -m tests.chaos --kills {asked_for.kills} --seed {seed}"
    if asked_for.profiles != PROFILES:
        replay += f" --profiles {asked_for.profiles}"
    say(f"seed {seed}; again: {replay}")
    began = time.monotonic()
    with running() as system:
        held = _hold(system, seed, asked_for.kills, asked_for.profiles)
    say(f"{time.monotonic() - began:.0f} s")
    if not held:
        say(f"FAILED with seed {seed}; again: {replay}")
    return 0 if held else 1


def _hold(system: System, *how: int) -> bool:
    """Whether everything held; says what happened in either case."""
    from tests.chaos.watch import Broken

    chaos = None
    try:
        chaos = Chaos(system, *how)
        with chaos.world.scope():
            chaos.go()
    except Broken as broken:
        say(f"NOT AS IT SHOULD BE: {broken}")
        if chaos is not None:
            say(asked(chaos.watch.sessions))
        say(system.last_words())
        return False
    except Exception:
        say(traceback.format_exc())
        say(system.last_words())
        return False
    finally:
        if chaos is not None:
            say(
                f"{sum(chaos.killed.values())} kills of live workers {dict(chaos.killed)},"
                f" in these stages: {dict(chaos.stages)}\nbesides: {dict(chaos.other)}\n"
                f"{chaos.runs} runs, {chaos.batches} batches, {chaos.again} sent again because"
                " their answer was lost"
            )
    return True


if __name__ == "__main__":
    sys.exit(main())
