"""The people of the chaos: who they are, how they change, and so whom the list has to hold."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import orjson
from django.db import connection

BLOCK = 400
RESIDENTS = 50
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
Names = tuple[str, str]


@dataclass
class Person:
    """A profile. `touched` is when it last changed: of two with one address the later counts."""

    number: int
    address: str
    first: str
    last: str
    is_member: bool = True
    touched: datetime = LONG_AGO

    @property
    def key(self) -> str:
        return f"k{self.number:06}"

    @property
    def is_valid(self) -> bool:
        return "@" in self.address


@dataclass
class People:
    """Everybody, and the addresses that must never be on the list again."""

    everybody: list[Person]
    unsubscribed: set[str] = field(default_factory=set)
    taken_off: set[str] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)

    @classmethod
    def born(cls, count: int) -> "People":
        people = cls([])
        for number in range(count):
            people._join(number, 0)
        return people

    @property
    def members(self) -> list[Person]:
        return [person for person in self.everybody if person.is_member]

    def owners(self) -> dict[str, Person]:
        """Who stands for each valid address of the segment."""
        found: dict[str, Person] = {}
        for person in sorted(self.members, key=lambda one: one.key, reverse=True):
            if not person.is_valid:
                continue
            known = found.get(person.address)
            if known is None or person.touched >= known.touched:
                found[person.address] = person
        return found

    def on_list(self) -> dict[str, Names]:
        """Whom the list has to hold, by address, with the names they have to have there."""
        never = self.unsubscribed | self.taken_off
        held = {
            address: (owner.first, owner.last)
            for address, owner in self.owners().items()
            if address not in never
        }
        return held | residents()

    def live(self, random: Random, round_number: int) -> str:
        """Some are renamed, some move, some leave, some come back or are new; says how many."""
        renamed = self._some(random, random.choice([0.01, 0.1, 0.5, 1.0]))
        readdressed = self._some(random, random.choice([0.0, 0.002, 0.03]))
        leaving = self._some(random, random.choice([0.0, 0.0002, 0.05]))
        away = [person for person in self.everybody if not person.is_member]
        back = random.sample(away, int(len(away) * random.choice([0.0, 0.5, 1.0])))
        for person in renamed:
            self.rename(person, round_number)
        for person in readdressed:
            self._readdress(person, random, round_number)
        for person in leaving:
            self._set_member(person, False)
        for person in back:
            self._set_member(person, True)
        new = random.choice([0, 3, 300])
        for number in range(len(self.everybody), len(self.everybody) + new):
            self._join(number, round_number)
        return (
            f"{len(renamed)} renamed, {len(readdressed)} readdressed, {len(leaving)} left,"
            f" {len(back)} back, {new} new"
        )

    def _some(self, random: Random, share: float) -> list[Person]:
        members = self.members
        return random.sample(members, int(len(members) * share))

    def _join(self, number: int, round_number: int) -> None:
        person = Person(number, f"p{number:06}@example.com", "", "", False)
        self.everybody.append(person)
        self.rename(person, round_number)
        self._set_member(person, True)

    def rename(self, person: Person, round_number: int) -> None:
        """Names of neighbours are about as long, so that no two batches hold equally many."""
        size = Random(person.number // BLOCK).randint(4, 45)  # noqa: S311 - guards nothing
        person.first = f"F{round_number}".ljust(size, "f")
        person.last = f"L{round_number}".ljust(size, "l")
        self.touched.add(person.number)

    def _readdress(self, person: Person, random: Random, round_number: int) -> None:
        other = random.choice(self.everybody)
        person.address = random.choice(
            [
                f"p{person.number:06}.{round_number}@example.com",
                f"p{person.number:06}.{round_number}@example.com",
                f"p{person.number:06}@example.com",
                f"p{person.number:06} at example.com",
                other.address,
            ]
        )
        self.touched.add(person.number)

    def _set_member(self, person: Person, is_member: bool) -> None:
        if person.is_member != is_member:
            person.is_member = is_member
            self.moved ^= {person.number}


def residents() -> dict[str, Names]:
    """They were on the list before, and are in no segment."""
    return {f"resident{n}@example.org": ("Resident", str(n)) for n in range(RESIDENTS)}


def store(people: People, workspace_id: int, segment_id: int, now: datetime) -> None:
    """Writes what changed since the last time, as an import and a refresh would."""
    touched = [people.everybody[number] for number in sorted(people.touched)]
    for person in touched:
        person.touched = now
    moved = [people.everybody[number] for number in sorted(people.moved)]
    joined = [person.key for person in moved if person.is_member]
    left = [person.key for person in moved if not person.is_member]
    where = {"workspace": workspace_id, "segment": segment_id, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO segments_profile (workspace_id, key, attributes, created_at, updated_at)"
            " SELECT %(workspace)s, key, attributes::jsonb, %(now)s, %(now)s"
            " FROM unnest(%(keys)s::text[], %(rows)s::text[]) AS one (key, attributes)"
            " ON CONFLICT (workspace_id, key) DO UPDATE"
            " SET attributes = excluded.attributes, updated_at = excluded.updated_at",
            {**where, "keys": [one.key for one in touched], "rows": [_row(one) for one in touched]},
        )
        cursor.execute(
            "DELETE FROM segments_segmentmember m USING segments_profile p"
            " WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s"
            " AND p.workspace_id = m.workspace_id AND p.id = m.profile_id AND p.key = ANY (%(k)s)",
            {**where, "k": left},
        )
        cursor.execute(
            "INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)"
            " SELECT workspace_id, %(segment)s, id FROM segments_profile"
            " WHERE workspace_id = %(workspace)s AND key = ANY (%(k)s)",
            {**where, "k": joined},
        )
        cursor.execute(
            "UPDATE segments_segment SET refresh_state = 'succeeded', refreshed_at = %(now)s,"
            " member_count = (SELECT count(*) FROM segments_segmentmember m WHERE"
            " m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s)"
            " WHERE workspace_id = %(workspace)s AND id = %(segment)s",
            where,
        )
    people.touched.clear()
    people.moved.clear()


def _row(person: Person) -> str:
    values = {"email": person.address, "first": person.first, "last": person.last}
    return orjson.dumps(values).decode()
