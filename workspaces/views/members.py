"""Members of a workspace and the invitations on their way: Administrators only."""

import logging

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.kept_queries import one_or_404
from workspaces import invitations, keyset, selectors
from workspaces import members as services
from workspaces.forms import InvitationForm, RoleForm
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Invitation, Membership, Role
from workspaces.permissions import requires
from workspaces.proof import proven

logger = logging.getLogger(__name__)


@requires("member.view")
def member_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    page = selectors.members(request.GET)
    context = {
        "members": page.rows,
        "searched": request.GET.get("q", "").strip(),
        **keyset.context_of(page, request.GET),
        "invitations": invitations.open_invitations(),
    }
    return render(request, "workspaces/members.html", context)


def _makes_no_administrator(request: HttpRequest) -> bool:
    """Another Administrator could do whatever this one has to prove who they are for."""
    return request.POST.get("role") != Role.ADMINISTRATOR


@requires("member.change")
@proven(unless=_makes_no_administrator)
def invite(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        try:
            invitations.invite(request.workspace, email, role, by=request.user)
        except invitations.Refused as refusal:
            form.add_error("email", str(refusal))
        except OSError:
            logger.exception("The mail server did not take an invitation.")
            form.add_error(None, _mail_failed())
        else:
            messages.success(
                request, _("An invitation is on its way to %(email)s.") % {"email": email}
            )
            return redirect("workspaces:members", slug)
    return render(request, "workspaces/member_invite.html", {"form": form})


@requires("member.change")
@proven(unless=_makes_no_administrator)
def role(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    member: Membership = one_or_404(Membership, "user", pk=pk)
    form = RoleForm(request.POST or None, initial={"role": member.role})
    if form.is_valid():
        try:
            services.change_role(member, form.cleaned_data["role"], by=request.user)
        except services.Refused as refusal:
            form.add_error("role", str(refusal))
        else:
            messages.success(
                request, _("The role of %(person)s has been changed.") % {"person": member.user}
            )
            return _to_members(request, member)
    return render(request, "workspaces/member_role.html", {"form": form, "member": member})


def _takes_nothing_over(request: HttpRequest) -> bool:
    return request.POST.get("ending") != services.Ending.TAKE_OVER


@requires("member.change")
@proven(unless=_takes_nothing_over)
def remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    member: Membership = one_or_404(Membership, "user", pk=pk)
    if request.method != "POST":
        return _removal(request, member)
    chosen = request.POST.get("ending", "")
    ending = services.Ending(chosen) if chosen in list(services.Ending) else None
    try:
        services.remove(member, by=request.user, ending=ending)
    except services.Refused as refusal:
        return _removal(request, member, str(refusal))
    messages.success(request, _("%(person)s is no longer a member.") % {"person": member.user})
    return _to_members(request, member)


def _removal(request: WorkspaceRequest, member: Membership, problem: str = "") -> HttpResponse:
    belongings = services.belongings_of(member)
    context = {
        "member": member,
        "problem": problem,
        "choices": [one for one in belongings if one.take_over],
        "stopping": [one for one in belongings if not one.take_over],
        "leaves": member.user_id == request.user.pk,
    }
    return render(request, "workspaces/member_remove.html", context)


@require_POST
@requires("member.change")
def revoke_invitation(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    invitation = one_or_404(Invitation, pk=pk)
    invitations.revoke(invitation, by=request.user)
    messages.success(
        request,
        _("The invitation to %(email)s no longer works.") % {"email": invitation.email},
    )
    return redirect("workspaces:members", slug)


@require_POST
@requires("member.change")
def resend_invitation(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    known = get_object_or_404(invitations.open_invitations(), pk=pk)
    try:
        invitations.invite(request.workspace, known.email, known.role, by=request.user)
    except invitations.Refused as refusal:
        messages.error(request, str(refusal))
    except OSError:
        logger.exception("The mail server did not take an invitation.")
        messages.error(request, _mail_failed())
    else:
        messages.success(
            request,
            _("A new invitation is on its way to %(email)s; the earlier one no longer works.")
            % {"email": known.email},
        )
    return redirect("workspaces:members", slug)


def _mail_failed() -> str:
    return _("The e-mail could not be sent. Try again; if it fails again, tell your operator.")


def _to_members(request: WorkspaceRequest, changed: Membership) -> HttpResponse:
    """Back to the members, or home for those who just gave up seeing them."""
    still_may = Membership.objects.filter(user=request.user, role="administrator").exists()
    if still_may:
        return redirect("workspaces:members", request.workspace.slug)
    return redirect("home")
