"""Tokens: a member's own, those of services, and one shown once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from api import tokens
from api.forms import TokenForm
from api.models import Token
from config.kept_queries import one_or_404
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import may, require, requires
from workspaces.proof import proven


@requires("token.view")
def token_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    member = request.membership
    context = {"own": tokens.own(member)}
    if may(member, "token.create_service"):
        context |= {"services": tokens.of_services(), "others": tokens.of_others(member)}
    return render(request, "api/tokens.html", context)


@requires("token.create_own")
@proven
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _add(request, is_service=False)


@requires("token.create_service")
@proven
def add_service(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _add(request, is_service=True)


def _add(request: WorkspaceRequest, *, is_service: bool) -> HttpResponse:
    """The answer to the form shows the token: there is no second chance to see it."""
    form = TokenForm(request.POST or None, member=request.membership, is_service=is_service)
    context = {"form": form, "is_service": is_service}
    if not form.is_valid():
        return render(request, "api/token_add.html", context)
    made = tokens.create(
        request.workspace,
        name=form.cleaned_data["name"],
        role=form.cleaned_data["role"],
        scopes=form.cleaned_data["scopes"],
        addresses=form.cleaned_data["addresses"],
        expires_at=form.expires_at,
        by=request.user,
        membership=None if is_service else request.membership,
    )
    response = render(request, "api/token_made.html", {"made": made})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@requires("token.view")
def revoke(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    token: Token = one_or_404(Token, "workspace", pk=pk)
    require(request.membership, "token.revoke", token)
    tokens.revoke(token, by=request.user)
    messages.success(request, _("The token “%(name)s” no longer works.") % {"name": token.name})
    return redirect("api_pages:token_list", slug)
