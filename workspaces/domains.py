"""E-mail domains whose people become members when they sign in with OpenID Connect."""

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest
from django_scopes import scope

from config.row_security import across_workspaces
from workspaces import audit, invitations, issuers
from workspaces.middleware import client_address
from workspaces.models import AuditEntry, CapturedDomain, Membership, Role, User, Workspace


def captured() -> list[str]:
    """Those of the workspace in scope."""
    return list(CapturedDomain.objects.values_list("domain", flat=True))


def offered(by: User | None) -> list[str]:
    """Those that an Administrator may name, and those that are named already.

    The operator must trust an issuer with the domain, and the Administrator be of it themselves.
    """
    own = EmailAddress.objects.filter(user_id=by.pk if by else None, verified=True).values_list(
        "email", flat=True
    )
    allowed = issuers.domains() & {email.rpartition("@")[2].lower() for email in own}
    return sorted(allowed | set(captured()))


def save(workspace: Workspace, domains: Iterable[str], *, by: User | None) -> None:
    """Names the workspace's domains, all of them among those offered."""
    with transaction.atomic():
        before, after = captured(), sorted(domains)
        if before == after:
            return
        CapturedDomain.objects.exclude(domain__in=after).delete()
        for domain in after:
            CapturedDomain.objects.get_or_create(workspace=workspace, domain=domain)
        audit.record(
            workspace,
            "workspace.domains_changed",
            actor=by,
            target=workspace,
            changes={"domains": {"was": before, "becomes": after}},
        )


def take_in(request: HttpRequest, user: User, sociallogin: Any = None, **_kwargs: Any) -> None:
    """Makes who signs in with an issuer a Viewer wherever the domain of their address is named.

    Whoever was removed from a workspace before stays out, and whoever is invited to it keeps the
    invitation, whose role may be another.
    """
    if sociallogin is None:
        return
    vouched = [
        address.email
        for address in sociallogin.email_addresses
        if address.email and issuers.vouches(sociallogin, address.email)
    ]
    for email in vouched:
        with across_workspaces():
            domain = email.rpartition("@")[2].lower()
            found = CapturedDomain.objects.filter(domain=domain).select_related("workspace")
            workspaces = [one.workspace for one in found]
        for workspace in workspaces:
            with scope(workspace=workspace), transaction.atomic():
                _make_viewer(workspace, user, email, client_address(request))


def _make_viewer(workspace: Workspace, user: User, email: str, address: str) -> None:
    was_removed = AuditEntry.objects.filter(action="member.removed", target=f"user:{user.pk}")
    if invitations.is_invited(email) or was_removed.exists():
        return
    _member, made = Membership.objects.get_or_create(
        workspace=workspace, user=user, defaults={"role": Role.VIEWER}
    )
    if made:
        audit.record(
            workspace,
            "member.joined",
            actor=user,
            target=user,
            address=address or None,
            role=Role.VIEWER,
            domain=email.rpartition("@")[2].lower(),
        )
