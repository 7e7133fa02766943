"""Tokens: made and shown once, kept as a hash, found again, revoked."""

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from api.models import Token
from config.row_security import across_workspaces
from workspaces import audit
from workspaces.members import Belonging
from workspaces.models import Membership, Role, User, Workspace

SHAPE = re.compile(r"segue_(?:pat|sat)_([0-9a-z]{1,12})_[0-9a-f]{64}", re.ASCII)
SHOWN = 8
USE_NOTED_EVERY = timedelta(minutes=1)
# From the least to the most.
ROLES = (Role.VIEWER, Role.CONTRIBUTOR, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Made:
    """A new token, and its text, which nobody can tell again."""

    token: Token
    text: str


def create(
    workspace: Workspace,
    *,
    name: str,
    role: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    addresses: Iterable[str] = (),
    by: User,
    membership: Membership | None = None,
) -> Made:
    """A member's own token, or a service's without a `membership`."""
    kind = "pat" if membership else "sat"
    beginning, secret = f"segue_{kind}_{_base36(workspace.pk)}_", secrets.token_hex(32)
    with transaction.atomic():
        token = Token.objects.create(
            workspace=workspace,
            membership=membership,
            name=name,
            role=role,
            scopes=sorted(scopes),
            addresses=list(addresses),
            digest=_digest(beginning + secret),
            hint=f"{beginning}{secret[:SHOWN]}…",
            created_by=by,
            expires_at=expires_at,
        )
        audit.record(
            workspace,
            "token.created",
            actor=by,
            target=token,
            role=role,
            scopes=token.scopes,
            addresses=token.addresses,
            expires=expires_at.isoformat() if expires_at else "",
            service=token.is_service,
        )
    return Made(token, beginning + secret)


def revoke(token: Token, by: User | None) -> None:
    with transaction.atomic():
        revoked = Token.objects.filter(pk=token.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        if revoked:
            audit.record(token.workspace, "token.revoked", actor=by, target=token)


def find(text: str) -> Token | None:
    """The token of whatever workspace, valid or not."""
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    with across_workspaces():
        found = Token.objects.select_related("workspace", "membership__user")
        return found.filter(workspace_id=int(match[1], 36), digest=_digest(text)).first()


def bearer(token: Token) -> Membership:
    """Who the token's requests are made as, with the role that it has now; not to be saved."""
    member = token.membership
    if member is None:
        return Membership(workspace=token.workspace, role=token.role)
    role = min(token.role, member.role, key=lambda one: ROLES.index(Role(one)))
    return Membership(pk=member.pk, workspace=token.workspace, user=member.user, role=role)


def allows(token: Token, address: str) -> bool:
    """Whether the token may be used from the address."""
    if not token.addresses:
        return True
    here = ipaddress.ip_address(address)
    if isinstance(here, ipaddress.IPv6Address) and here.ipv4_mapped:
        here = here.ipv4_mapped
    return any(here in ipaddress.ip_network(one, strict=False) for one in token.addresses)


def note_use(token: Token, address: str) -> None:
    """Notes that it was used, once a minute: it may be used a hundred times a second."""
    now = timezone.now()
    before = now - USE_NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > before:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
    Token.objects.filter(stale, pk=token.pk).update(
        last_used_at=now, last_used_from=address or None
    )


def own(member: Membership) -> QuerySet[Token]:
    """A member's tokens, the newest first."""
    return _listed().filter(membership=member)


def of_services() -> QuerySet[Token]:
    """The tokens of services, the newest first."""
    return _listed().filter(membership=None)


def of_others(member: Membership) -> QuerySet[Token]:
    """The tokens of the other members, the newest first."""
    return _listed().exclude(membership=None).exclude(membership=member)


def belongings(member: Membership) -> Iterator[Belonging]:
    """The tokens that a member takes along: nobody else may have them."""
    now = timezone.now()
    valid = own(member).filter(revoked_at=None).exclude(expires_at__lte=now)
    url = reverse("api_pages:token_list", args=[member.workspace.slug])
    for token in valid:
        what = _("the API token “%(name)s”") % {"name": token.name}
        yield Belonging(what, url, stop=partial(revoke, token))


def _listed() -> QuerySet[Token]:
    return Token.objects.select_related("membership__user", "created_by").order_by("-pk")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, place = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[place] + digits
    return digits or "0"
