"""Where an invitation's link leads: to accept it, after signing in or signing up."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django_scopes import scope

from workspaces import invitations
from workspaces.adapter import INVITED
from workspaces.models import User


@never_cache
def invitation(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    found = invitations.find(slug, token)
    if found is None or not found.is_pending:
        return render(request, "workspaces/invitation_ended.html", {"found": found}, status=410)
    context = {"invitation": found, "known": _has_account(found.email)}
    if not request.user.is_authenticated:
        # The link came by e-mail, so whoever has it has shown that the address is theirs.
        request.session[INVITED] = found.email
        return render(request, "workspaces/invitation.html", context)
    context["is_mine"] = invitations.is_for(found, request.user)
    if request.method == "POST":
        with scope(workspace=found.workspace):
            try:
                invitations.accept(found, request.user)
            except invitations.Refused as refusal:
                messages.error(request, str(refusal))
            else:
                request.session.pop(INVITED, None)
                messages.success(
                    request,
                    _("Welcome to %(workspace)s.") % {"workspace": found.workspace},
                )
                return redirect(found.workspace)
    return render(request, "workspaces/invitation.html", context)


def _has_account(email: str) -> bool:
    return User.objects.filter(email__iexact=email).exists()
