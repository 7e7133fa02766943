"""Members and invitations. Needs an Administrator's token."""

import logging
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status

from api.checked import posted, require_valid
from api.components import Email
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.problems import Problem
from api.schemas import Body, Page, Paging, page
from config.kept_queries import one_or_404
from workspaces import invitations, members
from workspaces.forms import InvitationForm, RoleForm
from workspaces.models import Invitation, Membership, Role

router = Router()
logger = logging.getLogger(__name__)


class MemberOut(Schema):
    id: int = Field(examples=[11])
    name: str = Field(examples=["Ada Lovelace"])
    email: str = Field(examples=["ada@example.com"])
    role: Role = Field(examples=["contributor"])
    created_at: datetime = Field(description="Since when they are a member.")

    @staticmethod
    def resolve_name(member: Membership) -> str:
        return str(member.user)

    @staticmethod
    def resolve_email(member: Membership) -> str:
        return member.user.email


class Resting(Schema):
    """What rests on a member, and so has to end in some way when they are removed."""

    what: str = Field(examples=["the export “Newsletter”, which they set up"])
    page: str = Field(examples=["https://segue.example.com/w/harbour-books/data/exports/4/"])
    can_be_taken_over: bool = Field(description="False: it stops in any case.", examples=[True])


class MemberDetail(MemberOut):
    rests_on_them: list[Resting]

    @staticmethod
    def resolve_rests_on_them(member: Membership) -> list[dict[str, Any]]:
        return [
            {
                "what": one.what,
                "page": f"{settings.BASE_URL}{one.url}",
                "can_be_taken_over": one.take_over is not None,
            }
            for one in members.belongings_of(member)
        ]


class RoleIn(Body):
    role: Role = Field(examples=["contributor"])


class Removal(Schema):
    ending: Literal["stop", "take_over"] | None = Field(
        None,
        description="What becomes of what rests on them: it stops, or whose token this is takes it"
        " over. Needed where something can be taken over.",
        examples=["stop"],
    )


class InvitationOut(Schema):
    id: int = Field(examples=[3])
    email: str = Field(examples=["grace@example.com"])
    role: Role = Field(examples=["viewer"])
    created_at: datetime
    expires_at: datetime
    is_pending: bool = Field(description="Whether it can still be accepted.", examples=[True])


class InvitationIn(Body):
    email: Email = Field(examples=["grace@example.com"])
    role: Role = Field(examples=["viewer"])


def _members() -> QuerySet[Membership]:
    return Membership.objects.select_related("user", "workspace")


def _member(pk: int) -> Membership:
    return get_object_or_404(_members(), pk=pk)


@router.get("/members", response=Page[MemberOut], summary="List the workspace’s members")
@needs(Scope.ADMIN, rule="member.view")
def list_workspace_members(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Who is a member, in which role. Needs an Administrator’s token."""
    return page(_members(), asked)


@router.get("/members/{int:member_id}", response=MemberDetail, summary="Get a member")
@needs(Scope.ADMIN, rule="member.view")
def get_workspace_member(request: ApiRequest, member_id: int) -> Membership:
    """One member, and what rests on them: read it before you remove them."""
    return _member(member_id)


@router.patch("/members/{int:member_id}", response=MemberOut, summary="Change a member’s role")
@needs(Scope.ADMIN, rule="member.change")
def change_role(request: ApiRequest, member_id: int, body: RoleIn) -> Membership:
    """Gives the member another role. The last Administrator stays one; so does an export user."""
    form = RoleForm(posted(role=body.role.value))
    require_valid(form)
    members.change_role(_member(member_id), form.cleaned_data["role"], by=request.actor)
    return _member(member_id)


@router.delete("/members/{int:member_id}", response={204: None}, summary="Remove a member")
@needs(Scope.ADMIN, rule="member.change")
def remove_member(request: ApiRequest, member_id: int, asked: Query[Removal]) -> Any:
    """Takes the member out of the workspace, and what rests on them to the `ending` you choose.

    Without one, it is refused where there is something to choose for, naming it. Only a member’s
    own token can take over: it takes the place of the proof that the screen asks for.
    """
    ending = members.Ending(asked.ending) if asked.ending else None
    members.remove(_member(member_id), by=request.actor, ending=ending)
    return Status(204, None)


@router.get("/invitations", response=Page[InvitationOut], summary="List invitations")
@needs(Scope.ADMIN, rule="member.view")
def list_invitations(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Those neither accepted nor revoked, the last first; expired ones, too."""
    return page(invitations.open_invitations(), asked, descending=True)


@router.post("/invitations", response={201: InvitationOut}, summary="Invite somebody")
@needs(Scope.ADMIN, rule="member.change")
def invite_member(request: ApiRequest, body: InvitationIn) -> Any:
    """Sends an invitation by e-mail, good for a week. An earlier one to the address ends."""
    form = InvitationForm(posted(email=body.email, role=body.role.value))
    require_valid(form)
    return Status(201, _invited(request, form.cleaned_data["email"], form.cleaned_data["role"]))


@router.post(
    "/invitations/{int:invitation_id}/send-again",
    response={201: InvitationOut},
    summary="Send an invitation again",
)
@needs(Scope.ADMIN, rule="member.change")
def resend_invitation(request: ApiRequest, invitation_id: int) -> Any:
    """Sends a new invitation in its place; the earlier one no longer works."""
    known = get_object_or_404(invitations.open_invitations(), pk=invitation_id)
    return Status(201, _invited(request, known.email, known.role))


@router.delete(
    "/invitations/{int:invitation_id}", response={204: None}, summary="Revoke an invitation"
)
@needs(Scope.ADMIN, rule="member.change")
def revoke_invitation(request: ApiRequest, invitation_id: int) -> Any:
    """Its link no longer works. Nothing happens to one that has been accepted."""
    found = one_or_404(Invitation, "workspace", pk=invitation_id)
    invitations.revoke(found, by=request.actor)
    return Status(204, None)


def _invited(request: ApiRequest, email: str, role: str) -> Invitation:
    try:
        return invitations.invite(request.workspace, email, role, by=request.actor)
    except OSError as failed:
        logger.exception("The mail server did not take an invitation.")
        raise Problem(
            "unavailable",
            _("The e-mail could not be sent. Try again; if it fails again, tell your operator."),
        ) from failed
