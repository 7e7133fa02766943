"""Erases somebody who has no profile any more: an address that exports and lists still know."""

from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from segments import erased, erasure_parts, erasure_sql, erasures
from segments.erasure_parts import NO_PROFILE, Person
from segments.erasures import LONGEST_ADDRESS, PATIENCE_SECONDS, Refused
from segments.models import Erasure, Segment
from segments.suppressions import ADDRESS
from workspaces.models import User, Workspace

MOST_HOLDERS = 20


@dataclass(frozen=True)
class Foreseen:
    """What is known of an address, and would be erased, for the page that asks.

    `holders` are profiles that have it: they are erased on their own pages.
    """

    address: str
    holders: list[tuple[str, int]]
    was_erased: bool
    suppressed: int
    on_lists: int
    in_refused_rows: int
    naming_rules: list[Segment]
    kept_files: int
    waiting_files: int
    panels: list[erasure_parts.Panel]


def foresee(workspace: Workspace, typed: str) -> Foreseen:
    """Raises `Refused` for what is no address."""
    person = _person(typed)
    with connection.cursor() as cursor:
        cursor.execute(erasure_sql.KNOWN, erasure_sql.parameters(workspace.pk, person))
        suppressed, on_lists, in_refused_rows = cursor.fetchone()
    kept, waiting = erasures.count_files()
    return Foreseen(
        address=person.key,
        holders=_holders(workspace, person),
        was_erased=erased.is_known(workspace.pk, person.key),
        suppressed=suppressed,
        on_lists=on_lists,
        in_refused_rows=in_refused_rows,
        naming_rules=erasures.naming_rules({person.key}),
        kept_files=kept,
        waiting_files=waiting,
        panels=[part.foresee(person) for part in erasure_parts.every()],
    )


def erase(
    workspace: Workspace,
    typed: str,
    *,
    by: User | None,
    delete_at_provider: bool = False,
    patience: int = PATIENCE_SECONDS,
) -> Erasure:
    """Raises `Refused`, and then nothing has changed: as `erasures.erase`, or a profile has it."""
    person = _person(typed)

    def find() -> Person:
        if holders := _holders(workspace, person):
            raise Refused(
                _("The profile “%(key)s” has this address. Erase the person on its page.")
                % {"key": holders[0][0]}
            )
        return person

    return erasures.erase_person(
        workspace, find, by=by, delete_at_provider=delete_at_provider, patience=patience
    )


def is_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and "\0" not in text and ADDRESS.fullmatch(text) is not None


def _person(typed: str) -> Person:
    address = erased.plain_address(typed)
    if not is_address(address):
        raise Refused(_("This is no e-mail address. Type it in full, like name@example.com."))
    return Person(NO_PROFILE, address, frozenset({address}))


def _holders(workspace: Workspace, person: Person) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        where = erasure_sql.parameters(workspace.pk, person)
        cursor.execute(erasure_sql.HOLDERS, where | {"most": MOST_HOLDERS})
        return [(key, pk) for key, pk in cursor.fetchall()]
