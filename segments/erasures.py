"""Erases a person: what is known of them goes at once, what is kept elsewhere is seen to.

One transaction deletes the profile and everything that names it, and keeps what says that it was
done: an `Erasure`, and keyed hashes by which the person is known should a file bring them again.
What takes longer (kept files, lists at the provider) follows, and is tried until it is done.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.handing_over import after_commit
from segments import erased, erasure_parts, erasure_sql, population, profile_merge
from segments.erasure_parts import Person
from segments.models import (
    Attribute,
    ErasedIdentity,
    Erasure,
    Import,
    Profile,
    Segment,
    SegmentMember,
)
from workspaces import audit
from workspaces.models import User, Workspace

PATIENCE_SECONDS = 10
LONGEST_ADDRESS = 254
# Other profiles with the same address that are counted.
MOST_OTHERS = 20


class Refused(Exception):
    """Why nobody is erased, and what to do; the message is for people."""


@dataclass(frozen=True)
class Address:
    """An address in a profile. `others` have it too, so it may not be the person's own."""

    address: str
    label: str
    is_theirs: bool
    others: list[tuple[str, int]]

    @property
    def many_others(self) -> bool:
        return len(self.others) >= MOST_OTHERS


@dataclass(frozen=True)
class Foreseen:
    """What would happen, for the page that asks."""

    addresses: list[Address]
    segments: list[Segment]
    naming_rules: list[Segment]
    kept_files: int
    waiting_files: int
    panels: list[erasure_parts.Panel]


def foresee(profile: Profile) -> Foreseen:
    addresses = addresses_in(profile)
    person = _person(profile, {one.address for one in addresses if one.is_theirs})
    member_of = SegmentMember.objects.filter(profile_id=profile.pk).values("segment_id")
    names = {profile.key, *(one.address for one in addresses)}
    ended, waiting = count_files()
    return Foreseen(
        addresses=addresses,
        segments=list(Segment.objects.filter(pk__in=member_of).order_by("name")),
        naming_rules=naming_rules(names),
        kept_files=ended,
        waiting_files=waiting,
        panels=[part.foresee(person) for part in erasure_parts.every()],
    )


def naming_rules(names: set[str]) -> list[Segment]:
    """Segments whose rules hold one of these texts."""
    return [
        segment
        for segment in Segment.objects.order_by("name")
        if not names.isdisjoint(_texts_in(segment.rules))
    ]


def count_files() -> tuple[int, int]:
    """Kept files of imports that have ended, and of those that have not."""
    files = [load.state for load in _with_files()]
    ended = sum(state in _ENDED for state in files)
    return ended, len(files) - ended


def addresses_in(profile: Profile) -> list[Address]:
    """The addresses in a profile's attributes, and whether they seem to be the person's own.

    They are if an app above sends to that attribute, or nobody else has the address.
    """
    own = {name for part in erasure_parts.every() for name in part.uses_as_address()}
    labels = dict(Attribute.objects.values_list("name", "label"))
    found: dict[str, Address] = {}
    for name, value in profile.attributes.items():
        for text in value if isinstance(value, list) else [value]:
            address = erased.plain_address(text) if isinstance(text, str) else ""
            if "@" not in address or len(address) > LONGEST_ADDRESS or address in found:
                continue
            others = _others(profile, name, address)
            found[address] = Address(
                address, labels.get(name, name), name in own or not others, others
            )
    return list(found.values())


def erase(
    profile: Profile,
    *,
    by: User | None,
    addresses: Iterable[str] | None = None,
    delete_at_provider: bool = False,
    patience: int = PATIENCE_SECONDS,
) -> Erasure:
    """Erases the person; `addresses` are theirs, by default those that seem to be.

    Raises `Refused`, and then nothing has changed: the profile is gone, or an import or a run
    could not be held up within `patience` seconds.
    """
    if addresses is None:
        addresses = [one.address for one in addresses_in(profile) if one.is_theirs]
    known = set(addresses)

    def find() -> Person:
        return _person(Profile.objects.select_for_update().get(pk=profile.pk), known)

    try:
        return erase_person(
            profile.workspace,
            find,
            by=by,
            delete_at_provider=delete_at_provider,
            patience=patience,
        )
    except Profile.DoesNotExist:
        raise Refused(_("There is no such profile any more. Look the person up again.")) from None


def erase_person(
    workspace: Workspace,
    find: Callable[[], Person],
    *,
    by: User | None,
    delete_at_provider: bool,
    patience: int = PATIENCE_SECONDS,
) -> Erasure:
    """Erases whom `find` finds, once nothing that could bring them back goes on.

    Raises what `find` raises, and `Refused`; nothing has changed then.
    """
    try:
        with transaction.atomic():
            return _erase(workspace, find, delete_at_provider, by, patience)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != "55P03":
            raise
        raise Refused(
            _(
                "An import or an export of this workspace is in the middle of something, so nobody"
                " was erased. Try again in a minute."
            )
        ) from None


def _erase(
    workspace: Workspace,
    find: Callable[[], Person],
    delete_at_provider: bool,
    by: User | None,
    patience: int,
) -> Erasure:
    where = {"workspace": workspace.pk}
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience}s"])
        for part in erasure_parts.every():
            part.lock()
        cursor.execute(profile_merge.ONE_AT_A_TIME, where)
        person = find()
        erasure = Erasure.objects.create(
            workspace=workspace, delete_at_provider=delete_at_provider, asked_by=by
        )
        erased.add(workspace.pk, erasure.pk, person.key, person.addresses)
        for part in erasure_parts.every():
            part.let_go(erasure, person)
        population.changed(workspace.pk)
        for statement in erasure_sql.STATEMENTS:
            cursor.execute(statement, erasure_sql.parameters(workspace.pk, person))
    audit.record(
        workspace,
        "profile.erased",
        actor=by,
        target=erasure,
        delete_at_provider=delete_at_provider,
    )
    from segments.tasks import finish_erasure_task

    after_commit(lambda: finish_erasure_task.delay(workspace.pk, erasure.pk))
    return erasure


def carry_on(erasure: Erasure) -> None:
    """Does what is left to do of an erasure, as often as it takes."""
    if erasure.files_removed_at is None:
        for load in _with_files():
            if load.state in _ENDED and load.created_at <= erasure.asked_at:
                Path(load.file_path).unlink(missing_ok=True)
        erasure.files_removed_at = timezone.now()
        erasure.save(update_fields=["files_removed_at"])
    for part in erasure_parts.every():
        part.carry_on(erasure)
    finish(erasure)


def finish(erasure: Erasure) -> None:
    """Notes that nothing is left to do, if so."""
    erasure.refresh_from_db()
    if erasure.files_removed_at and all(part.is_done(erasure) for part in erasure_parts.every()):
        with transaction.atomic():
            ended = Erasure.objects.filter(pk=erasure.pk, finished_at__isnull=True).update(
                finished_at=timezone.now()
            )
            if ended:
                audit.record(erasure.workspace, "profile.erasure_finished", target=erasure)


def lift(erasure: Erasure, *, by: User | None) -> None:
    """Lets the person be imported and sent again, should a source bring them."""
    with transaction.atomic():
        count, _each = ErasedIdentity.objects.filter(erasure=erasure).delete()
        if count:
            Erasure.objects.filter(pk=erasure.pk).update(lifted_at=timezone.now())
            audit.record(erasure.workspace, "profile.erasure_lifted", actor=by, target=erasure)


def profile_of_key(workspace: Workspace, key: str) -> Profile:
    """Raises `Refused`."""
    profile = Profile.objects.filter(workspace=workspace, key=key).first()
    if profile is None:
        raise Refused(_("No profile has this key, so nobody was erased. Check the key."))
    return profile


_ENDED = (Import.State.SUCCEEDED, Import.State.FAILED)


def _with_files() -> list[Import]:
    """Imports whose file is kept."""
    found = Import.objects.only("state", "file_path", "created_at", "workspace_id")
    return [load for load in found if load.file_path and Path(load.file_path).is_file()]


def _person(profile: Profile, addresses: set[str]) -> Person:
    known = {one for part in erasure_parts.every() for one in part.addresses_of(profile)}
    key = erased.plain_address(profile.key)
    own = {erased.plain_address(one) for one in addresses | known}
    return Person(profile.pk, profile.key, frozenset(own | ({key} if "@" in key else set())))


def _others(profile: Profile, attribute: str, address: str) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            erasure_sql.OTHERS,
            {
                "workspace": profile.workspace_id,
                "profile": profile.pk,
                "attribute": attribute,
                "address": address,
                "most": MOST_OTHERS,
            },
        )
        return [(key, pk) for key, pk in cursor.fetchall()]


def _texts_in(rules: object) -> set[str]:
    """Every text in a tree of rules, as addresses and keys are compared."""
    if isinstance(rules, str):
        return {rules, *(line.strip() for line in rules.splitlines()), erased.plain_address(rules)}
    parts = rules.values() if isinstance(rules, dict) else rules if isinstance(rules, list) else ()
    return {text for part in parts for text in _texts_in(part)}
