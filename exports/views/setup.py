"""Setting an export up, step by step: add, edit, duplicate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from connections.models import Connection
from connections.selectors import usable_by
from exports import contact_fields, destinations, entered, lists, matching, selectors, steps
from exports.engine.plan import MAX_PROFILES
from exports.forms import DestinationForm
from exports.lists import Way
from exports.models import Destination
from exports.preview import inactive_warnings
from exports.steps import Step
from exports.views.objects import destination_of
from segments.models import Segment
from workspaces import unsaved
from workspaces.ago import ago
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import may, require, requires
from workspaces.written import number

LOST = gettext_lazy(
    "What was entered on the other steps is no longer there: it is kept until it is saved, and for"
    " a day. Please go through the steps again."
)


@dataclass(frozen=True)
class SetUp:
    """One export being set up: a new one, one `like` another, or a `destination` that is there.

    `first` gives what it starts from.
    """

    request: WorkspaceRequest
    connections: list[Connection]
    first: Callable[[], QueryDict]
    destination: Destination | None = None
    like: Destination | None = None

    def judged(self, data: QueryDict) -> DestinationForm:
        return DestinationForm(data, connections=self.connections, destination=self.destination)

    def shown(self, data: QueryDict) -> DestinationForm:
        return DestinationForm(
            shown=data, connections=self.connections, destination=self.destination
        )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("destination.create")
def destination_add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    connections = connections_of(request)
    segment = request.GET.get("segment", "")
    return _answer(SetUp(request, connections, lambda: entered.at_first(connections, segment)))


@require_http_methods(["GET", "HEAD", "POST"])
def destination_duplicate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    original = destination_of(request, pk, "destination.duplicate")

    def first() -> QueryDict:
        copied = entered.of_destination(original)
        copied["name"], copied["seen"] = destinations.free_name(original.name), ""
        return copied

    return _answer(SetUp(request, connections_of(request), first, like=original))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("destination.view")
def destination_edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Who may not change the export sees all that it is, on one page, locked."""
    destination = destination_of(request, pk)
    if request.method == "POST":
        require(request.membership, "destination.change", destination)

    def first() -> QueryDict:
        return entered.of_destination(destination)

    if may(request.membership, "destination.change", destination):
        return _answer(SetUp(request, connections_of(request), first, destination))
    connections = [destination.connection] if destination.connection else []
    setting_up = SetUp(request, connections, first, destination)
    return _page(setting_up, setting_up.shown(first()), step=None)


def entered_by(request: WorkspaceRequest) -> QueryDict | None:
    """All that is entered, with the step just sent; None when the other steps are kept no longer.

    What names no step is everything at once.
    """
    step = steps.named(request.POST.get("step", ""))
    if step is None:
        return request.POST
    known = unsaved.kept(request.workspace.pk, request.user, request.POST.get("draft", ""))
    return None if known is None else entered.with_step(known, request.POST, step)


def connections_of(request: WorkspaceRequest) -> list[Connection]:
    """Those that the member may choose from, in the order in which they are offered."""
    found = usable_by(request.membership)
    return sorted(found, key=lambda one: (one.provider, one.name.casefold()))


def selection(chosen: list[str]) -> dict[str, Any]:
    """How many profiles the segments hold together."""
    ids = [int(pk) for pk in chosen if pk.isdecimal()]
    profiles = selectors.profiles_in(ids) if ids else 0
    return {
        "selected": len(ids),
        "profiles": profiles,
        "too_large": profiles > MAX_PROFILES,
        "limit": number_format(MAX_PROFILES, force_grouping=True),
    }


def _answer(setting_up: SetUp) -> HttpResponse:
    if setting_up.request.method == "POST":
        return _go_on(setting_up)
    return _step(setting_up)


def _step(setting_up: SetUp) -> HttpResponse:
    """The step that the URL names, with what has been entered so far."""
    request = setting_up.request
    step = steps.named(request.GET.get("step", "")) or Step.WHERE
    token = request.GET.get("draft", "")
    known = unsaved.kept(request.workspace.pk, request.user, token)
    if known is None and token:
        return _start_anew(setting_up)
    if known is None:
        token, known = unsaved.new_token(), setting_up.first()
        unsaved.keep(request.workspace.pk, request.user, token, known)
    if step == Step.PREVIEW:
        form = setting_up.judged(known)
        return _page(setting_up, form, token=token, step=steps.first_wrong(form) or step)
    return _page(setting_up, setting_up.shown(known), token=token, step=step)


def _start_anew(setting_up: SetUp) -> HttpResponse:
    """Says that earlier steps are lost; with what the one that was just sent holds."""
    request = setting_up.request
    known = setting_up.first()
    step = steps.named(request.POST.get("step", ""))
    if step is not None:
        known = entered.with_step(known, request.POST, step)
    token = unsaved.new_token()
    unsaved.keep(request.workspace.pk, request.user, token, known)
    status = 410 if request.method == "POST" else 200
    return _page(
        setting_up, setting_up.shown(known), token=token, step=Step.WHERE, lost=True, status=status
    )


def _go_on(setting_up: SetUp) -> HttpResponse:
    """Keeps the step, and goes to another one or saves all of them.

    Back and from one step to the next one is gone whatever is wrong elsewhere.
    """
    request = setting_up.request
    token = request.POST.get("draft", "") or unsaved.new_token()
    whole = entered_by(request)
    if whole is None:
        return _start_anew(setting_up)
    unsaved.keep(request.workspace.pk, request.user, token, whole)
    if "keep" in request.POST:
        return HttpResponse(status=204)
    form = setting_up.judged(whole)
    here = steps.named(request.POST.get("step", "")) or Step.PREVIEW
    to = steps.named(request.POST.get("to", ""))
    if to is None:
        return _save(setting_up, form, token, here)
    if to.number > here.number:
        wrong = steps.first_wrong(form, steps.ORDER[: to.number - 1])
        if wrong is not None:
            return _page(setting_up, form, token=token, step=wrong, status=422)
    there = urlencode({"draft": token, "step": to})
    return HttpResponseRedirect(f"{request.path}?{there}")


def _save(setting_up: SetUp, form: DestinationForm, token: str, here: Step) -> HttpResponse:
    request, destination = setting_up.request, setting_up.destination
    if not form.is_valid():
        wrong = steps.first_wrong(form) or here
        return _page(setting_up, form, token=token, step=wrong, status=422)
    if form.moves and "agreed" not in request.POST:
        return _page(setting_up, form, token=token, step=Step.PREVIEW, ask=True)
    details = form.details()
    if details is None:
        wrong = steps.first_wrong(form) or here
        return _page(setting_up, form, token=token, step=wrong, status=422)
    try:
        if destination is None:
            saved = destinations.create(
                request.workspace, by=request.user, details=details, like=setting_up.like
            )
        else:
            saved = destinations.update(
                destination, by=request.user, details=details, seen=form.seen_at
            )
    except destinations.ChangedMeanwhile as changed:
        form.take_over(details.contact_list, seen=changed.updated_at)
        form.add_error(None, str(changed))
        unsaved.keep(request.workspace.pk, request.user, token, form.data)
        return _page(setting_up, form, token=token, step=here, status=409)
    except destinations.DestinationProblem as problem:
        form.take_over(details.contact_list)
        is_name = isinstance(problem, destinations.NameTaken)
        form.add_error("name" if is_name else None, str(problem))
        unsaved.keep(request.workspace.pk, request.user, token, form.data)
        step = Step.WHERE if is_name else here
        return _page(setting_up, form, token=token, step=step, status=422)
    unsaved.forget(request.workspace.pk, request.user, token)
    messages.success(
        request,
        _("“%(export)s” is saved. Nothing has been sent: it runs on its schedule, or now.")
        % {"export": saved},
    )
    for warning in inactive_warnings(details.segments):
        messages.warning(request, warning)
    return redirect("exports:destination_detail", request.workspace.slug, saved.pk)


def _page(
    setting_up: SetUp,
    form: DestinationForm,
    *,
    step: Step | None,
    token: str = "",
    ask: bool = False,
    lost: bool = False,
    status: int = 200,
) -> HttpResponse:
    """One step; without one, all that there is, to be looked at only."""
    context: dict[str, Any] = {
        "form": form,
        "destination": setting_up.destination,
        "like": setting_up.like,
        "locked": step is None,
        "ask": ask,
        "lost": LOST if lost else "",
        "draft": token,
        "step": step,
        "administrators": [] if setting_up.connections else selectors.administrators(),
    }
    if step in (Step.SEGMENTS, None):
        context |= {"segments": _choices(form), **selection(form.chosen_segments)}
    if step == Step.PREVIEW:
        context["review"] = _review(form)
    return render(setting_up.request, "exports/form.html", context, status=status)


class KindOfChoice(NamedTuple):
    """What a segment is shown differently for."""

    is_chosen: bool
    is_active: bool
    is_refreshed: bool
    is_large: bool
    tells_errors: bool


def _choices(form: DestinationForm) -> list[dict[str, Any]]:
    """The segments to choose from, as they are shown: a template writes hundreds less quickly."""
    chosen, errors = set(form.chosen_segments), bool(form["segments"].errors)
    return [
        {
            "key": segment.pk,
            "name": segment.name,
            "members": number(segment.member_count),
            "refreshed": ago(segment.refreshed_at) if segment.refreshed_at else "",
            "kind": KindOfChoice(
                is_chosen=str(segment.pk) in chosen,
                is_active=segment.state == Segment.State.ACTIVE,
                is_refreshed=segment.refreshed_at is not None,
                is_large=segment.member_count > MAX_PROFILES,
                tells_errors=errors and place == 0,
            ),
        }
        for place, segment in enumerate(form.all_segments)
    ]


def _review(form: DestinationForm) -> dict[str, Any]:
    """What is about to be saved, in words."""
    found, saved = form.cleaned_data, form.destination
    list_name = {
        Way.MAKE: found["made"],
        Way.PASTE: found.get("list_id", ""),
        Way.PICK: lists.name_of(found["connection"], found["picked"]) or found["picked"],
    }[Way(found["way"])]
    if saved is not None and saved.list_id == list_name:
        list_name = saved.list_name
    return {
        "list_name": list_name,
        "is_new_list": found["way"] == Way.MAKE,
        "matches": [
            (contact_fields.label(field), form.known[attribute])
            for field, attribute in matching.ordered(form.matches)
        ],
    }
