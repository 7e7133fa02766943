"""Questions about workspaces, their members, and what was done there."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, F, Q, QuerySet, TextField, When
from django.db.models.functions import Cast

from config.row_security import across_workspaces
from workspaces.models import AuditEntry, Membership, User, Workspace


def workspaces_of(user: User | AnonymousUser, most: int | None = None) -> list[Workspace]:
    """The workspaces that a person is a member of, by name; none for who isn't signed in."""
    if not user.is_authenticated:
        return []
    with across_workspaces():
        found = Membership.objects.filter(user=user).select_related("workspace")
        return [one.workspace for one in found.order_by("workspace__name", "pk")[:most]]


def membership_in(slug: str, user: User) -> Membership | None:
    with across_workspaces():
        found = Membership.objects.filter(user=user, workspace__slug=slug)
        return found.select_related("workspace").first()


def memberships_of(user: User, *, first: str, most: int) -> list[Membership]:
    """So many of a person at most: the one in the workspace with that slug, then others by name."""
    with across_workspaces():
        found = Membership.objects.filter(user=user).select_related("workspace")
        is_other = Case(When(workspace__slug=first, then=0), default=1)
        return list(found.order_by(is_other, "workspace__name", "pk")[:most])


def members() -> QuerySet[Membership]:
    """The members of the workspace in scope, Administrators first."""
    return Membership.objects.select_related("user").order_by("role", F("user__email"))


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
