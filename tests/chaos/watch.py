"""The invariants, looked at from outside: in the database, and in what the sandbox has taken.

A trigger keeps a book of attempts: when a batch was about to be sent, by which session, and
whether the one before had ended. It is the witness against sending twice.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from django.db import connection

from config.database_roles import WORK_ROLE, as_owner
from connections.access import limiter, todays_budget
from exports.engine.judge import FATES
from exports.models import Batch, Delivery, Rejection, Run
from sandbox.process import SandboxProcess
from tests.chaos.people import People, residents
from tests.chaos.processes import POOL, RATE_PER_SECOND

BOOK_OF_ATTEMPTS = f"""
CREATE TABLE chaos_attempt (
    id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id bigint, batch_id bigint, number int, contacts int,
    pid int, since timestamptz, ended_at timestamptz, fault text NOT NULL DEFAULT '');

CREATE FUNCTION chaos_attempts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    own timestamptz := (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());
    found_fault text := '';
BEGIN
    IF OLD.state <> 'planned' OR OLD.activity_id <> '' THEN
        found_fault := 'sent again though it was known to be taken';
    ELSIF EXISTS (
        SELECT 1 FROM chaos_attempt a
        JOIN pg_stat_activity s ON s.pid = a.pid AND s.backend_start = a.since
        WHERE a.batch_id = NEW.id AND a.ended_at IS NULL AND a.pid <> pg_backend_pid()
    ) THEN
        found_fault := 'sent by two at once';
    END IF;
    INSERT INTO chaos_attempt (run_id, batch_id, number, contacts, pid, since, fault)
    VALUES (NEW.run_id, NEW.id, NEW.attempts, NEW.contacts, pg_backend_pid(), own, found_fault);
    RETURN NULL;
END $$;

CREATE TRIGGER chaos_attempts AFTER UPDATE ON exports_batch
FOR EACH ROW WHEN (NEW.attempts <> OLD.attempts) EXECUTE FUNCTION chaos_attempts();

-- A session that writes to a run has done with the batch it was sending.
CREATE FUNCTION chaos_ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE chaos_attempt a SET ended_at = clock_timestamp()
    FROM pg_stat_activity s
    WHERE a.ended_at IS NULL AND a.pid = pg_backend_pid()
        AND s.pid = a.pid AND s.backend_start = a.since;
    RETURN NULL;
END $$;

CREATE TRIGGER chaos_ends AFTER UPDATE ON exports_run
FOR EACH ROW EXECUTE FUNCTION chaos_ends();

GRANT SELECT ON chaos_attempt TO {WORK_ROLE};
"""

# A process that stood still between its turn and its request arrives in another's second.
STANDING = 2 * POOL
# How far back the engine looks for activities that may be a batch's, and some more.
TELLABLE = timedelta(minutes=12)
# The sandbox writes whole seconds; and what it took after an attempt's look could not be seen.
MARGIN = timedelta(seconds=2.5)


class Broken(Exception):
    """An invariant does not hold; the message says which and how."""


def ensure(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


@dataclass
class Watch:
    """Looks at each end of a run; its own requests are made under the same limits."""

    list_id: str
    sandbox: SandboxProcess
    token: str
    day: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")

    def begin(self) -> None:
        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute(BOOK_OF_ATTEMPTS)

    def everything_holds(
        self, run: Run, people: People, refused: set[str], unsubscribed: set[str], *, lost: int
    ) -> int:
        """Looks at all there is, after a run. Raises `Broken`.

        `refused` and `unsubscribed` are those who wanted no mail when the run began, `lost` how
        many answers were lost at most. Returns how many batches were sent again for that.
        """
        self.limits_held()
        self.account_adds_up(run, people, unsubscribed)
        self.nobody_put_back(run, people, refused)
        again = self.nothing_sent_twice(run, lost)
        if run.state != Run.State.FAILED:
            self.list_is_right(people)
            self.ledger_agrees(run, people)
        return again

    @staticmethod
    def sessions() -> str:
        """Who is at the database, and who holds which lock: to tell why a run does not end."""
        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.pid, s.state, now() - s.state_change, left(s.query, 150),"
                " array_agg((l.classid, l.objid)::text) FILTER (WHERE l.locktype = 'advisory')"
                " FROM pg_stat_activity s LEFT JOIN pg_locks l ON l.pid = s.pid"
                " WHERE s.datname = current_database() AND s.pid <> pg_backend_pid()"
                " GROUP BY 1, 2, 3, 4 ORDER BY 1"
            )
            return "\n".join(f"  session: {row}" for row in cursor.fetchall())

    def nobody_put_back(self, run: Run, people: People, refused_before: set[str]) -> None:
        """Those known to want no mail when the run began were not among those sent."""
        batches = list(run.batches.values_list("pk", flat=True))
        deliveries = Delivery.objects.filter(batch_id__in=batches, address__in=refused_before)
        sent = list(deliveries.values_list("address", flat=True))
        ensure(
            not sent,
            f"{len(sent)} were sent who had unsubscribed or been taken off, as {sent[:3]}",
        )
        held = {contact["email"] for contact in self.sandbox.members(self.list_id)}
        back = held & (people.unsubscribed | people.taken_off)
        ensure(not back, f"{len(back)} were put back on the list: {sorted(back)[:3]}")
        for address in sorted(people.unsubscribed)[-5:]:
            known = self.sandbox.control("contact", email=address)
            ensure(known["permission"] == "unsubscribed", f"{address} may be mailed again")

    def list_is_right(self, people: People) -> None:
        wanted = people.on_list()
        held = {
            contact["email"]: (contact["first_name"], contact["last_name"])
            for contact in self.sandbox.members(self.list_id)
        }
        missing, odd = wanted.keys() - held.keys(), held.keys() - wanted.keys()
        ensure(
            not missing and not odd,
            f"the list lacks {len(missing)}, as {sorted(missing)[:3]}, and holds {len(odd)} it"
            f" should not, as {sorted(odd)[:3]}",
        )
        stale = [one for one in wanted if wanted[one] != held[one]]
        ensure(not stale, f"{len(stale)} have other names on the list, as {stale[:3]}")
        left = [name for name in self.sandbox.lists() if name.startswith("Segue: leaving")]
        ensure(not left, f"a list made for removing was left behind: {left}")

    def account_adds_up(self, run: Run, people: People, unsubscribed_before: set[str]) -> None:
        members, owners = people.members, people.owners()
        invalid = sum(not person.is_valid for person in members)
        ensure(
            run.in_segments == sum(getattr(run, part) for part in FATES),
            "the account does not add up",
        )
        ensure(run.in_segments == len(members), f"{run.in_segments} of {len(members)} in segments")
        ensure(run.invalid == invalid, f"{run.invalid} invalid, not {invalid}")
        duplicate = len(members) - invalid - len(owners)
        ensure(run.duplicate == duplicate, f"{run.duplicate} duplicate, not {duplicate}")
        suppressed = len(unsubscribed_before & owners.keys())
        ensure(run.suppressed >= suppressed, f"{run.suppressed} suppressed, of {suppressed}")
        named = Counter(Rejection.objects.filter(run=run).values_list("kind", flat=True))
        for kind in ("invalid", "duplicate", "suppressed", "rejected"):
            count = getattr(run, kind)
            ensure(named[kind] == count, f"{count} {kind}, of whom {named[kind]} are named")

    def ledger_agrees(self, run: Run, people: People) -> None:
        """What is believed to be held is what the list holds, and nobody stays half done."""
        batches = list(run.batches.values_list("state", "failure"))
        open_ones = [state for state, _ in batches if state in ("planned", "sent")]
        ensure(not open_ones, f"the run has ended with {len(open_ones)} batches still open")
        held = set(
            Delivery.objects.filter(destination=run.destination, refusal="").values_list(
                "address", flat=True
            )
        )
        wanted = people.on_list().keys() - residents().keys()
        lacking = wanted - held
        odd = held - wanted - people.unsubscribed - people.taken_off
        ensure(not lacking and not odd, f"the ledger lacks {len(lacking)}, and has {len(odd)} more")

    def nothing_sent_twice(self, run: Run, lost_at_most: int) -> int:
        """No batch known to be taken was sent again; returns how many were sent again at all."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT batch_id, fault FROM chaos_attempt WHERE fault <> '' ORDER BY id LIMIT 3"
            )
            faults = cursor.fetchall()
            cursor.execute(
                "SELECT batch_id, contacts, number, at, min(at) OVER (PARTITION BY batch_id)"
                " FROM chaos_attempt WHERE run_id = %s ORDER BY id",
                [run.pk],
            )
            attempts = cursor.fetchall()
        ensure(not faults, "; ".join(f"batch {batch} was {fault}" for batch, fault in faults))
        again = [attempt for attempt in attempts if attempt[2] > 1]
        ensure(
            len(again) <= lost_at_most,
            f"{len(again)} batches were sent again, and at most {lost_at_most} answers were lost",
        )
        imports = self._imports(oldest=run.created_at)
        self._all_told_were_found(run, again, imports)
        self._each_batch_has_its_own(run, imports)
        return len(again)

    def _all_told_were_found(
        self, run: Run, again: list[Any], imports: list[dict[str, Any]]
    ) -> None:
        """A batch that the provider's activities tell of beyond doubt is not sent again."""
        for batch_id, contacts, _, at, first_at in again:
            alike = Batch.objects.filter(
                contacts=contacts, attempted_at__gte=first_at - TELLABLE
            ).exclude(pk=batch_id)
            if alike.exists() or contacts in self._counts_of_removals(first_at - TELLABLE):
                continue
            own = [one for one in imports if one["status"]["person_count"] == contacts]
            seen = [
                one
                for one in own
                if first_at - TELLABLE < datetime.fromisoformat(one["created_at"]) < at - MARGIN
            ]
            ensure(
                len(seen) != 1,
                f"batch {batch_id} of {contacts} was sent again at {at:%H:%M:%S}, though the"
                f" provider tells of it: {seen}",
            )

    @staticmethod
    def _counts_of_removals(since: datetime) -> set[int]:
        """Removing by a list of its own imports those who leave, as many as were to be removed."""
        return set(Run.objects.filter(created_at__gte=since).values_list("to_remove", flat=True))

    @staticmethod
    def _each_batch_has_its_own(run: Run, imports: list[dict[str, Any]]) -> None:
        known = {one["activity_id"]: one for one in imports}
        taken = list(
            run.batches.exclude(activity_id="").values_list("number", "activity_id", "contacts")
        )
        claimed = Counter(activity_id for _, activity_id, _ in taken)
        ensure(max(claimed.values(), default=1) == 1, "two batches claim one activity")
        for number, activity_id, contacts in taken:
            ensure(activity_id in known, f"batch {number} claims an activity that nobody knows")
            count = known[activity_id]["status"]["person_count"]
            ensure(count == contacts, f"batch {number} of {contacts} claims one of {count}")

    def _imports(self, oldest: datetime) -> list[dict[str, Any]]:
        """The provider's imports since then, as its API tells of them."""
        found: list[dict[str, Any]] = []
        path = "/v3/activities?limit=500"
        while path:
            limiter().acquire()
            answer = requests.get(
                f"{self.sandbox.url}{path}",
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=30,
            )
            answer.raise_for_status()
            body = answer.json()
            found += [one for one in body["activities"] if "source_file_name" in one]
            link = body.get("_links", {}).get("next", {}).get("href", "")
            last = body["activities"][-1]["created_at"] if body["activities"] else ""
            reached = last and datetime.fromisoformat(last) < oldest - timedelta(seconds=2)
            path = "" if reached else link
        return found

    def limits_held(self) -> None:
        """Every request that arrived had been counted, and no second saw too many."""
        statistics = self.sandbox.control("statistics")
        if f"{datetime.now(UTC):%Y-%m-%d}" != self.day:
            return
        budget = todays_budget()
        counted = budget.used if budget else 0
        arrived = statistics["today"]
        ensure(arrived <= counted, f"{arrived} requests arrived, and {counted} were counted")
        most = statistics["most_in_a_second"]
        ensure(most <= RATE_PER_SECOND + STANDING, f"{most} requests arrived in one second")
