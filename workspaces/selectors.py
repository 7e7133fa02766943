"""Questions about workspaces, their members, and what was done there."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, Lower, NullIf, Trim
from django.http import QueryDict

from config.kept_queries import KeptQuery
from config.row_security import across_workspaces
from workspaces import keyset
from workspaces.models import AuditEntry, Membership, Schedule, User, Workspace


def workspaces_of(user: User | AnonymousUser, most: int | None = None) -> list[Workspace]:
    """The workspaces that a person is a member of, by name; none for who isn't signed in."""
    if not user.is_authenticated:
        return []
    with across_workspaces():
        found = Membership.objects.filter(user=user).select_related("workspace")
        return [one.workspace for one in found.order_by("workspace__name", "pk")[:most]]


def membership_in(slug: str, user: User) -> Membership | None:
    with across_workspaces():
        return _membership_in.first(slug=slug, user=user.pk)


def memberships_of(user: User, *, first: str, most: int) -> list[Membership]:
    """So many of a person at most: the one in the workspace with that slug, then others by name."""
    with across_workspaces():
        return _memberships_of(most)(user=user.pk, first=first)


@KeptQuery
def _membership_in(slug: Any, user: Any) -> QuerySet[Membership]:
    found = Membership.objects.filter(user=user, workspace__slug=slug)
    return found.select_related("workspace")[:1]


@cache
def _memberships_of(most: int) -> KeptQuery[Membership]:
    def make(user: Any, first: Any) -> QuerySet[Membership]:
        found = Membership.objects.filter(user=user).select_related("workspace")
        is_other = Case(When(workspace__slug=first, then=0), default=1)
        return found.order_by(is_other, "workspace__name", "pk")[:most]

    return KeptQuery(make)


@KeptQuery
def schedule(of: Any) -> QuerySet[Schedule]:
    """That of the workspace with the key `of`, if it was made already."""
    return Schedule.objects.filter(workspace=of)


NAME = Trim(Concat("user__first_name", Value(" "), "user__last_name"))
# Capitals don't count, and who has no name goes by the address, as on the page.
PERSON = Lower(Coalesce(NullIf(NAME, Value("")), "user__email", output_field=TextField()))
NEVER = Value(datetime.fromtimestamp(0, UTC))
MEMBERS_SHOWN = 50
MEMBER_ORDERS: dict[str, tuple[Combinable, ...]] = {
    "role": (F("role"), PERSON),
    "person": (PERSON,),
    "since": (F("created_at"),),
    "sign_in": (Coalesce("user__last_login", NEVER), PERSON),
}


def members(query: QueryDict) -> keyset.Page[Membership]:
    """The page of members that a URL asks for, by `q`, too; Administrators first."""
    found = Membership.objects.select_related("user").alias(name=NAME)
    for word in query.get("q", "").replace("\0", "").split():
        found = found.filter(Q(user__email__icontains=word) | Q(name__icontains=word))
    return keyset.page_of(found, MEMBER_ORDERS, query, size=MEMBERS_SHOWN)


def audit_entries_saying(entries: QuerySet[AuditEntry], text: str) -> QuerySet[AuditEntry]:
    """Those in which every word is found: in who, what, on what, or the details."""
    for word in text.split():
        entries = entries.alias(said=Cast("details", TextField())).filter(
            Q(target_label__icontains=word)
            | Q(actor_label__icontains=word)
            | Q(action__icontains=word)
            | Q(said__icontains=word)
        )
    return entries
