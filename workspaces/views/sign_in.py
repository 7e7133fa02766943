"""What a workspace demands of its members' sign-in: Administrators only."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from workspaces import domains, issuers, two_step
from workspaces.forms import SignInForm
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.proof import proven


@requires("workspace.change")
@proven
def sign_in(request: WorkspaceRequest, slug: str) -> HttpResponse:
    workspace = request.workspace
    initial = {
        "two_step_demanded": workspace.two_step_demanded,
        "domains": domains.captured(),
    }
    sent = request.POST if request.method == "POST" else None
    form = SignInForm(sent, initial=initial, domains=domains.offered(request.user))
    if form.is_valid():
        try:
            two_step.demand(workspace, form.cleaned_data["two_step_demanded"], by=request.user)
        except two_step.Refused as refusal:
            form.add_error("two_step_demanded", str(refusal))
        else:
            if "domains" in form.fields:
                domains.save(workspace, form.cleaned_data["domains"], by=request.user)
            messages.success(request, _("Saved."))
            return redirect("workspaces:sign_in", slug)
    context = {
        "form": form,
        "issuers": issuers.ways(),
        "have_it": two_step.has(request.user),
        "without": two_step.members_without(),
    }
    return render(request, "workspaces/sign_in.html", context)
