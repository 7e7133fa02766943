"""Questions about workspaces and their members."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet

from config.row_security import across_workspaces
from workspaces.models import Membership, User, Workspace


def workspaces_of(user: User | AnonymousUser) -> list[Workspace]:
    """The workspaces that a person is a member of, by name; none for who isn't signed in."""
    if not user.is_authenticated:
        return []
    with across_workspaces():
        memberships = Membership.objects.filter(user=user).select_related("workspace")
        return [membership.workspace for membership in memberships.order_by("workspace__name")]


def members() -> QuerySet[Membership]:
    """The members of the workspace in scope, Administrators first."""
    return Membership.objects.select_related("user").order_by("role", F("user__email"))
