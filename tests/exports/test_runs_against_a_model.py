"""Whatever happens to people, segments, the export, the provider and the way to it, in any order:
after each run the list, the account and a simple model of both agree.

A failure prints the steps, the seed of the whole search, which `--hypothesis-seed=N` repeats, and a
line `@reproduce_failure(…)` that replays that one example alone: put it above `class Machine`.
`SEGUE_PROPERTY_EXAMPLES=500` looks further.
"""

import os
import secrets
import sys
from itertools import count
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from connections.access import client
from connections.constant_contact import transport
from exports import taken_off
from exports.models import Destination, DestinationSegment, Run
from segments.models import Profile, Segment, SegmentMember
from tests.exports.engine_world import World, account
from tests.exports.list_model import BROKEN, VALID, Model, Person
from tests.workspaces.factories import MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("SEGUE_PROPERTY_EXAMPLES", "5"))
NAMES = st.sampled_from(["ann", "bob", "cat", "dan"])
FORMS = st.sampled_from([*sorted(VALID), *sorted(VALID), *sorted(BROKEN)])
FIRSTS = st.sampled_from(["One", "Two", 'Thr"ee'])
FAULTS = st.sampled_from(
    ["throttled", "server_error", "cut_before", "cut_after", "cut_during", "activity_failed"]
)
numbers = count()


class Machine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.domain = f"e{next(numbers)}.example.com"
        self.model = Model()
        self.time = count()
        world = self.world
        world.sandbox.control("clear_faults")
        name = f"List {self.domain}"
        self.list_id = client(world.connection).create_list(name, "").list_id
        self.destination = Destination.objects.create(
            workspace=world.workspace,
            name=name,
            connection=world.connection,
            list_id=self.list_id,
            list_name=name,
            matching={"email": "email", "first_name": "first"},
        )
        self.segments = {
            one: Segment.objects.create(workspace=world.workspace, name=f"{one} {self.domain}")
            for one in ("a", "b")
        }
        self._select("a")
        strangers = [{"email": f"stranger@{self.domain}"}]
        world.sandbox.control("seed", contacts=strangers, list_id=self.list_id)
        self.model.on_list.add(f"stranger@{self.domain}")
        self.disturbed = False
        for name in ("ann", "bob", "cat"):
            self.somebody_comes(name, "{}@{}", False, "One", "a")
        self.it_runs(full=False, check_list=False)

    # People and segments

    @rule(name=NAMES, form=FORMS, upper=st.booleans(), first=FIRSTS, to=st.sampled_from("ab"))
    def somebody_comes(self, name: str, form: str, upper: bool, first: str, to: str) -> None:
        key = f"{self.domain}-{len(self.model.people)}"
        said = form.format(name, self.domain)
        person = Person(key, said.upper() if upper else said, first, next(self.time))
        self.model.people[key] = person
        Profile.objects.create(workspace=self.world.workspace, key=key, attributes=_told(person))
        self._join(key, to)

    @rule(data=st.data(), name=NAMES, form=FORMS, first=FIRSTS, both=st.booleans())
    def somebody_changes(self, data: Any, name: str, form: str, first: str, both: bool) -> None:
        person = self._somebody(data)
        person.first, person.touched = first, next(self.time)
        person.said = form.format(name, self.domain) if both else person.said
        profile = Profile.objects.get(key=person.key)
        profile.attributes, profile.updated_at = _told(person), timezone.now()
        profile.save()

    @rule(data=st.data(), to=st.sampled_from("ab"))
    def somebody_joins(self, data: Any, to: str) -> None:
        self._join(self._somebody(data).key, to)

    @rule(data=st.data(), of=st.sampled_from("ab"))
    def somebody_leaves(self, data: Any, of: str) -> None:
        key = self._somebody(data).key
        self.model.members[of].discard(key)
        pk = Profile.objects.get(key=key).pk
        SegmentMember.objects.filter(segment=self.segments[of], profile_id=pk).delete()
        self._refreshed(of)

    # The export

    @rule(mirrors=st.booleans())
    def the_mode_changes(self, mirrors: bool) -> None:
        self.model.mirrors = mirrors
        mode = Destination.Mode.MIRROR if mirrors else Destination.Mode.ADD
        Destination.objects.filter(pk=self.destination.pk).update(mode=mode)

    @rule(matched=st.sampled_from(["first", "last"]))
    def the_matching_changes(self, matched: str) -> None:
        self.model.matched = matched
        matching = {"email": "email", "first_name": matched}
        Destination.objects.filter(pk=self.destination.pk).update(matching=matching)

    @rule(chosen=st.sampled_from(["a", "b", "ab"]))
    def its_segments_change(self, chosen: str) -> None:
        self._select(chosen)

    @rule()
    def a_member_puts_everybody_back(self) -> None:
        self.destination.refresh_from_db()
        if self.model.taken_off <= {one.address for one in taken_off.taken_off(self.destination)}:
            self.model.put_back_here()
            taken_off.put_back(self.destination, None, by=MembershipFactory().user)

    # The provider

    @precondition(lambda self: self._ours())
    @rule(data=st.data())
    def somebody_unsubscribes(self, data: Any) -> None:
        address = data.draw(st.sampled_from(self._ours()))
        self.world.sandbox.control("unsubscribe", email=address)
        self.model.unsubscribes(address)

    @precondition(lambda self: self._ours())
    @rule(data=st.data(), how=st.sampled_from(["take_off", "delete"]))
    def somebody_is_taken_off_by_hand(self, data: Any, how: str) -> None:
        address = data.draw(st.sampled_from(self._ours()))
        more = {"list_id": self.list_id} if how == "take_off" else {}
        self.world.sandbox.control(how, email=address, **more)
        self.model.is_taken_off(address)

    # Runs, and the way to the provider

    @rule(kind=FAULTS, times=st.integers(1, 3), after=st.integers(0, 4))
    def the_way_is_disturbed(self, kind: str, times: int, after: int) -> None:
        self.world.sandbox.control("fault", kind=kind, count=times, after=after)
        self.disturbed = True

    @rule()
    def it_runs_as_usual(self) -> None:
        self.it_runs(full=False, check_list=False)

    @rule(data=st.data(), first=FIRSTS, to=st.sampled_from("ab"))
    def it_runs_after_a_double_of_somebody_came(self, data: Any, first: str, to: str) -> None:
        name = self._somebody(data).address[:3]
        self.somebody_comes(name, "{}@{}", True, first, to)
        self.it_runs(full=False, check_list=False)

    @rule(data=st.data())
    def it_runs_after_a_change(self, data: Any) -> None:
        self.somebody_changes(data, "eve", "{}@{}", data.draw(FIRSTS), False)
        self.it_runs(full=False, check_list=False)

    @rule(full=st.booleans(), check_list=st.booleans())
    def it_runs(self, full: bool, check_list: bool) -> None:
        how = {"full": full, "check_list": check_list}
        run = self.world.run(of=self.destination, **how)
        if self.disturbed:
            self.world.sandbox.control("clear_faults")
            self.disturbed = False
            if run.state == Run.State.FAILED:
                run = self.world.run(of=self.destination, check_list=True)
                how = {"full": False}
                assert run.state != Run.State.FAILED, run.reason
                self._agrees(run, None)
                return
        if not full and not check_list and run.state != Run.State.SKIPPED:
            known = {one.address for one in taken_off.taken_off(self.destination)}
            if not self.model.taken_off <= known:
                # They are found when somebody is sent again; until then they count as held.
                run = self.world.run(of=self.destination, check_list=True)
                self._agrees(run, None)
                return
        self._agrees(run, how["full"])

    def _agrees(self, run: Run, full: bool | None) -> None:
        model = self.model
        if model.is_skipped:
            assert run.state == Run.State.SKIPPED, (run.state, run.reason)
            return
        assert run.state == Run.State.SUCCEEDED, (run.state, run.reason)
        said = account(run)
        if full is None:
            said = {fate: n for fate, n in said.items() if fate not in ("added", "changed")}
            said["unchanged"] = said.get("unchanged", 0) + run.sent
            expected = model.account(full=False)
            sent = expected.pop("added", 0) + expected.pop("changed", 0)
            expected["unchanged"] = expected.get("unchanged", 0) + sent
            said, expected = ({f: n for f, n in one.items() if n} for one in (said, expected))
            assert said == expected
        else:
            assert said == model.account(full=full)
        model.run()
        assert set(self.world.sandbox.control("members", list_id=self.list_id)) == model.on_list
        for address, first in model.held.items():
            if address in model.wanted:
                known = self.world.sandbox.control("contact", email=address)
                assert known["first_name"] == first
        for address in model.said_no:
            known = self.world.sandbox.control("contact", email=address)
            assert known["permission"] == "unsubscribed"

    # Ways and means

    def _somebody(self, data: Any) -> Person:
        return self.model.people[data.draw(st.sampled_from(sorted(self.model.people)))]

    def _ours(self) -> list[str]:
        return sorted(self.model.on_list - {f"stranger@{self.domain}"})

    def _join(self, key: str, to: str) -> None:
        if key not in self.model.members[to]:
            self.model.members[to].add(key)
            SegmentMember.objects.create(
                workspace_id=self.world.workspace.pk,
                segment=self.segments[to],
                profile_id=Profile.objects.get(key=key).pk,
            )
        self._refreshed(to)

    def _refreshed(self, name: str) -> None:
        Segment.objects.filter(pk=self.segments[name].pk).update(
            member_count=len(self.model.members[name]),
            refresh_state=Segment.RefreshState.SUCCEEDED,
            refreshed_at=timezone.now(),
        )

    def _select(self, chosen: str) -> None:
        self.model.selected = set(chosen)
        DestinationSegment.objects.filter(destination=self.destination).delete()
        for one in chosen:
            self._refreshed(one)
            DestinationSegment.objects.create(
                workspace=self.world.workspace,
                destination=self.destination,
                segment=self.segments[one],
            )


def _told(person: Person) -> dict[str, str]:
    return {"email": person.said, "first": person.first, "last": person.last}


def test_the_list_and_the_account_are_as_the_model_says(
    transactional_db: None, workspace: Any, sandbox: Any, monkeypatch: Any, request: Any
) -> None:
    given = request.config.getoption("--hypothesis-seed")
    chosen = secrets.randbelow(2**32) if given is None else int(given)
    # Shown with a failure only.
    sys.stdout.write(f"again: --hypothesis-seed={chosen}\n")
    monkeypatch.setattr(transport, "_wait_before_reading_again", lambda state: 0.01)
    Machine.world = World(workspace, sandbox)
    run_state_machine_as_test(
        seed(chosen)(Machine),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            print_blob=True,
            database=None,
            # Shrinking would run exports for minutes; the steps are few enough to read.
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        ),
    )
