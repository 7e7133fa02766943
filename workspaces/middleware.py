"""Opens the workspace that a URL names, for its members only."""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django_htmx.http import HttpResponseClientRedirect
from django_scopes import scope

from config import correlation
from workspaces import audit, selectors, two_step
from workspaces.context_processors import MOST_SHOWN
from workspaces.live import watchers
from workspaces.models import Membership, User, Workspace


class WorkspaceRequest(HttpRequest):
    """A request under `/w/SLUG/`: the views there are called with one."""

    user: User
    workspace: Workspace
    membership: Membership


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Sends to the sign-in page; for a fragment of a page, the page and not the fragment."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
    return HttpResponseClientRedirect(redirect_to_login(page).url)


def to_two_step(request: HttpRequest) -> HttpResponse:
    """Sends to where a second step of signing in is set up."""
    where = reverse("mfa_index")
    is_fragment = bool(request.htmx)  # type: ignore[attr-defined]
    return HttpResponseClientRedirect(where) if is_fragment else redirect(where)


def client_address(request: HttpRequest) -> str:
    """Whence a request comes; empty where the settings about proxies don't tell."""
    try:
        return str(get_adapter().get_client_ip(request))
    except (ImproperlyConfigured, PermissionDenied):
        return ""


class WorkspaceMiddleware:
    """Under `/w/SLUG/`: sets `request.workspace` and `request.membership`, scopes every query.

    Keeps the language that pages are read in, for what is written to the member later.
    Who is not signed in is sent to sign in; for everyone but members the workspace is a 404,
    whether it exists or not. A member without the second step that it demands is sent to set it up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/w/"):
            return self.get_response(request)
        try:
            slug = resolve(request.path_info).kwargs["slug"]
        except (Resolver404, KeyError):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if request.htmx:  # type: ignore[attr-defined]
            membership = selectors.membership_in(slug, request.user)
        else:
            # A whole page shows others too.
            found = selectors.memberships_of(request.user, first=slug, most=MOST_SHOWN + 1)
            membership = next((one for one in found if one.workspace.slug == slug), None)
            request.my_workspaces = [one.workspace for one in found]  # type: ignore[attr-defined]
        request.membership = membership  # type: ignore[attr-defined]
        if membership is None:
            return self.get_response(request)
        workspace = membership.workspace
        request.workspace = workspace  # type: ignore[attr-defined]
        correlation.bind(workspace=workspace.pk)
        if request.session.get("workspace") != workspace.slug:
            request.session["workspace"] = workspace.slug
        if two_step.is_missing(workspace, request.user):
            return to_two_step(request)
        language = get_language() or ""
        if request.user.language != language:
            User.objects.filter(pk=request.user.pk).update(language=language)
        watchers.note(request)
        with (
            scope(workspace=workspace),
            timezone.override(workspace.tzinfo),
            audit.through("", client_address(request)),
        ):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]
    ) -> HttpResponse | None:
        is_page = request.path_info.startswith("/w/") and "slug" in kwargs
        if not is_page or not hasattr(request, "membership"):
            return None
        if request.membership is None:
            raise Http404
        if request.workspace.is_closing and not getattr(view, "while_closing", False):  # type: ignore[attr-defined]
            closed = reverse("workspaces:deletion", args=[request.workspace.slug])  # type: ignore[attr-defined]
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponseClientRedirect(closed)
            return redirect(closed)
        return None
