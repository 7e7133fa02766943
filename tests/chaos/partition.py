"""`python -m tests.chaos.partition`: a worker is cut off in the middle of a run, and returns.

Two workers, each in a network namespace of its own. In every round one of them loses its way to
PostgreSQL and Redis, and perhaps to the provider too, while it sends: the other one is to end the
run without it, nothing twice and nothing lost. When it is back it is to do a run alone.
"""

import argparse
import secrets
import sys
import time
import traceback
from random import Random
from typing import Any

from tests.chaos.__main__ import asked, say
from tests.chaos.network import Place, ReachableServices, are_possible, places
from tests.chaos.processes import POOL, System, running

PROFILES = 20_000
ROUNDS = 4
# Seconds that a run may take without the one that is cut off, and then with it alone.
PATIENCE_SECONDS = 120


class Partition:
    def __init__(self, system: System, homes: tuple[Place, ...], seed: int) -> None:
        from tests.chaos.people import People
        from tests.chaos.watch import Watch
        from tests.chaos.world import build

        self.system = system
        self.homes = homes
        self.random = Random(seed)  # noqa: S311 - it is to be repeatable
        self.people = People.born(PROFILES)
        self.world = build(system.sandbox, self.people)
        self.watch = Watch(self.world.list_id, system.sandbox, self.world.token)
        self.watch.begin()

    def go(self, rounds: int) -> None:
        for number in range(rounds):
            self.system.mend()
            self._wait(lambda: len(self.system.at_work()) == len(self.homes))
            lost = number % len(self.homes)
            self._cut_off_in_the_middle(number, lost, provider_too=number < rounds / 2)
            self._alone(number, lost)

    def _cut_off_in_the_middle(self, number: int, lost: int, *, provider_too: bool) -> None:
        home, worker = self.homes[lost], self.system.workers[lost]
        run = self._start(number)
        self._wait(lambda: self._is_sending(run, home))
        time.sleep(self.random.uniform(0, 0.3))
        cut = home.ways if provider_too else (home.to_services,)
        for way in cut:
            way.cut()
        began = time.monotonic()
        sent = run.batches.exclude(state="planned").count()
        self._wait(lambda: not self.world.is_active(run))
        again = self._look(run)
        say(
            f"{number}: {worker.name} was cut off with {sent} of {run.batches.count()} batches sent"
            f"{', from the provider too' if provider_too else ''}; {time.monotonic() - began:.0f} s"
            f" later the run had {run.state}, {again} sent again"
        )
        for way in cut:
            way.mend()

    def _alone(self, number: int, returned: int) -> None:
        """Who was cut off is back at work, as the only one."""
        others = [one for one in self.system.workers if one is not self.system.workers[returned]]
        for other in others:
            other.freeze(on=True)
        run = self._start(number)
        began = time.monotonic()
        try:
            self._wait(lambda: not self.world.is_active(run))
        finally:
            for other in others:
                other.freeze(on=False)
        self._look(run)
        say(f"   back, and alone: {run.state} in {time.monotonic() - began:.0f} s")

    def _start(self, number: int) -> Any:
        for person in self.people.members:
            self.people.rename(person, number)
        self.people.live(self.random, number)
        asked(lambda: self.world.store(self.people))
        return self.world.start()

    def _is_sending(self, run: Any, home: Place) -> bool:
        """Whether a session from there holds a batch's lock."""
        from django.db import connection

        from config.database_roles import as_owner
        from workspaces import locks

        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid"
                " WHERE l.locktype = 'advisory' AND l.classid::bigint >> 24 = %s"
                " AND s.client_addr = %s::inet",
                [locks.BATCH, home.to_services.there],
            )
            return bool(cursor.fetchone()[0])

    def _wait(self, until: Any) -> None:
        from exports.models import Run
        from tests.chaos.watch import Broken

        deadline = time.monotonic() + PATIENCE_SECONDS
        while not asked(until):
            if time.monotonic() > deadline:
                run = asked(lambda: Run.objects.latest("pk"))
                raise Broken(
                    f"nothing came of it in {PATIENCE_SECONDS} s: run {run.pk} is {run.state},"
                    f" touched at {run.heartbeat_at}, waits until {run.waiting_until}:"
                    f" {run.reason}; at work: {[one.name for one in self.system.at_work()]}"
                )
            time.sleep(0.02)

    def _look(self, run: Any) -> int:
        from exports.models import Run
        from tests.chaos.watch import ensure

        ensure(run.state == Run.State.SUCCEEDED, f"the run {run.state}: {run.reason}")
        return int(
            asked(lambda: self.watch.everything_holds(run, self.people, set(), set(), lost=POOL))
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.partition", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"({ROUNDS})")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    said = parser.parse_args(arguments)
    say(f"seed {said.seed}")
    if not are_possible():
        say("LEFT OUT: it needs `ip` and the right to make network namespaces, as root has it.")
        return 0
    with places() as homes, running(ReachableServices, host="0.0.0.0") as system:  # noqa: S104
        for home, worker in zip(homes, system.workers, strict=True):
            home.take_in(worker, system)
        return 0 if _held(system, homes, said.seed, said.rounds) else 1


def _held(system: System, homes: tuple[Place, ...], seed: int, rounds: int) -> bool:
    from tests.chaos.watch import Broken

    try:
        partition = Partition(system, homes, seed)
        with partition.world.scope():
            partition.go(rounds)
    except Broken as broken:
        say(f"NOT AS IT SHOULD BE, with seed {seed}: {broken}")
        say(asked(partition.watch.sessions))
    except Exception:
        say(traceback.format_exc())
    else:
        return True
    say(system.last_words())
    return False


if __name__ == "__main__":
    sys.exit(main())
