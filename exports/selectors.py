"""Questions about exports and their runs, for the pages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.http import QueryDict

from config.kept_queries import KeptQuery
from connections.models import Connection
from exports.models import Destination, DestinationSegment, Rejection, Run
from segments.models import Segment, SegmentMember
from workspaces import cached, keyset
from workspaces.models import Membership, Role, Workspace
from workspaces.permissions import may
from workspaces.timing import workspace_refreshes_at

PAGE_SIZE = 25
NEVER = Value(datetime.fromtimestamp(0, UTC))
# None of them null, so that pages go on from where one ended.
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "name": (F("name"),),
    "connection": (Coalesce("connection__name", Value("")), F("name")),
    "list": (F("list_name"), F("name")),
    "status": (Coalesce("last_state", Value("")), F("name")),
    "run": (Coalesce("last_run_at", NEVER), F("name")),
    "schedule": (F("schedule"), Coalesce("next_run_at", NEVER), F("name")),
    "updated": (F("updated_at"), F("name")),
    "created": (F("created_at"), F("name")),
}
RUNS_SHOWN = 20
# How many profiles segments hold together.
KEPT_SECONDS = 24 * 60 * 60
RUN_ORDERS: dict[str, tuple[Combinable, ...]] = {
    # By number, which is by when they were started, too.
    "started": (),
    "state": (F("state"),),
    "added": (F("added"),),
    "changed": (F("changed"),),
    "sent": (F("added") + F("changed"),),
    "unchanged": (F("unchanged"),),
    "left_out": (F("duplicate") + F("invalid") + F("suppressed"),),
    "rejected": (F("rejected"),),
    "removed": (F("removed"),),
    "requests": (F("requests"),),
    "took": (keyset.TOOK,),
}


@dataclass(frozen=True)
class Line:
    """One line of the list of exports."""

    destination: Destination
    last_run: Run | None
    next_run_at: datetime | None
    editable: bool


def destinations(query: QueryDict) -> keyset.Page[Destination]:
    """The page of exports that a URL asks for, by `search`, too."""
    search = query.get("search", "").replace("\0", "").strip()
    if not search:
        return _all.page_of(query)
    found = _with_last_run().filter(
        Q(name__icontains=search)
        | Q(connection__name__icontains=search)
        | Q(list_name__icontains=search)
        | Q(connection__provider__in=_providers(search))
    )
    return keyset.page_of(found, ORDERS, query, size=PAGE_SIZE)


def _with_last_run() -> QuerySet[Destination]:
    last_run = Run.objects.filter(destination=OuterRef("pk"), dry_run=False).order_by("-created_at")
    return Destination.objects.select_related("connection", "updated_by").annotate(
        last_run_id=Subquery(last_run.values("pk")[:1]),
        last_run_at=Subquery(last_run.values("created_at")[:1]),
        last_state=Subquery(last_run.values("state")[:1]),
    )


_all = keyset.KeptPages(_with_last_run, ORDERS, size=PAGE_SIZE)


def lines(found: list[Destination], *, member: Membership, workspace: Workspace) -> list[Line]:
    last = [one.last_run_id for one in found if one.last_run_id]  # type: ignore[attr-defined]
    runs = {run.pk: run for run in _runs_as_listed(keys=last)}
    refresh_at = workspace_refreshes_at(workspace)
    return [
        Line(
            destination=one,
            last_run=runs.get(one.last_run_id),  # type: ignore[attr-defined]
            next_run_at=next_run_at(one, refresh_at),
            editable=may(member, "destination.change", one),
        )
        for one in found
    ]


@KeptQuery
def _runs_as_listed(keys: Any) -> QuerySet[Run]:
    return Run.objects.only("state", "why", "waiting_until", "created_at").filter(pk__any_of=keys)


def runs_of(destination: Destination, query: QueryDict) -> keyset.Page[Run]:
    """The page of an export's runs that a URL asks for, by `state`, too; the newest first."""
    asked = keyset.newest_first(query, "started")
    if query.get("state") not in Run.State.values:
        return _runs.page_of(asked, destination=destination.pk)
    found = _runs_of(destination.pk).filter(state=query["state"])
    return keyset.page_of(found, RUN_ORDERS, asked, size=RUNS_SHOWN)


def _runs_of(destination: Any) -> QuerySet[Run]:
    return Run.objects.filter(destination=destination).select_related("started_by")


_runs = keyset.KeptPages(_runs_of, RUN_ORDERS, size=RUNS_SHOWN)


@KeptQuery
def last_run(destination: Any) -> QuerySet[Run]:
    return Run.objects.filter(destination=destination, dry_run=False).order_by("-created_at")[:1]


@KeptQuery
def active_run(destination: Any) -> QuerySet[Run]:
    return Run.objects.filter(destination=destination, state__in=Run.ACTIVE)


@dataclass(frozen=True)
class Coming:
    destination: Destination
    at: datetime


def coming_runs(refresh_at: datetime | None, most: int) -> list[Coming]:
    """What runs next by itself, the soonest first, given the workspace's next refresh."""
    found = _coming(most, with_refresh=refresh_at is not None)()
    moments = ((one, next_run_at(one, refresh_at)) for one in found)
    coming = [Coming(one, at) for one, at in moments if at is not None]
    return sorted(coming, key=lambda one: (one.at, one.destination.name))[:most]


@lru_cache
def _coming(most: int, *, with_refresh: bool) -> KeptQuery[Destination]:
    def make() -> QuerySet[Destination]:
        connected = Destination.objects.filter(connection__isnull=False)
        own = connected.filter(schedule=Destination.Schedule.OWN, next_run_at__isnull=False)
        found = own.order_by("next_run_at")[:most]
        if with_refresh:
            with_it = connected.filter(schedule=Destination.Schedule.REFRESH)
            found = found.union(with_it.order_by("name")[:most])
        return found

    return KeptQuery(make)


def next_run_at(destination: Destination, refresh_at: datetime | None) -> datetime | None:
    """When it runs next by itself, given the workspace's next refresh."""
    if destination.connection_id is None or destination.schedule == Destination.Schedule.OFF:
        return None
    if destination.schedule == Destination.Schedule.OWN:
        return destination.next_run_at
    return refresh_at


def _providers(search: str) -> list[str]:
    kinds = Connection._meta.get_field("provider").flatchoices
    return [value for value, label in kinds if search.casefold() in str(label).casefold()]


def administrators() -> list[Membership]:
    return list(
        Membership.objects.filter(role=Role.ADMINISTRATOR)
        .select_related("user")
        .order_by("user__email")
    )


def profiles_in(segment_ids: list[int]) -> int:
    """How many profiles the segments hold together, each counted once."""
    segments = list(Segment.objects.filter(pk__in=segment_ids).order_by("-member_count"))
    if len(segments) < 2:
        return sum(segment.member_count for segment in segments)
    # They hold the same until one is computed anew; an erasure takes its person off the count.
    state = str([(one.pk, one.refreshed_at, one.member_count) for one in segments])
    key = cached.key(segments[0].workspace_id, "together", sha256(state.encode()).hexdigest())
    known: int | None = cache.get(key)
    if known is None:
        known = _together(*segments)
        cache.set(key, known, KEPT_SECONDS)
    return known


def _together(largest: Segment, *others: Segment) -> int:
    """What the others have beside the largest, which may be nearly everybody."""
    inside = SegmentMember.objects.filter(segment=largest, profile_id=OuterRef("profile_id"))
    more = SegmentMember.objects.filter(~Exists(inside), segment__in=others)
    return largest.member_count + more.values("profile_id").distinct().count()


def selected_segments(destination: Destination) -> list[Segment]:
    return _selected_segments(destination=destination.pk)


@KeptQuery
def _selected_segments(destination: Any) -> QuerySet[Segment]:
    links = DestinationSegment.objects.filter(destination=destination).values("segment_id")
    return Segment.objects.filter(pk__in=links).order_by("name")


@dataclass(frozen=True)
class ReasonCount:
    kind: str
    reason: str
    count: int


def rejection_counts(run: Run) -> list[ReasonCount]:
    """How many profiles were left out for each reason, the most frequent first."""
    counted = _rejection_counts(run=run.pk)
    return sorted((ReasonCount(**one) for one in counted), key=lambda one: -one.count)


@KeptQuery
def _rejection_counts(run: Any) -> QuerySet[Rejection, Any]:
    found = Rejection.objects.filter(run=run).values("kind", "reason")
    return found.annotate(count=Count("pk"))


REJECTIONS_SHOWN = 25
REJECTION_ORDERS: dict[str, tuple[Combinable, ...]] = {
    "reason": (F("kind"), F("reason")),
    "profile": (F("profile_key"),),
    "address": (F("address"),),
}


def rejections(run: Run, *, kind: str = "", reason: str = "", search: str = "") -> Any:
    """The run's rejections in the order of their index: kind, reason, then as they were found."""
    found = Rejection.objects.filter(run=run)
    if kind:
        found = found.filter(kind=kind)
    if reason:
        found = found.filter(reason=reason)
    if search:
        found = found.filter(
            Q(profile_key__iexact=search) | Q(address__icontains=search.strip().lower())
        )
    return found.order_by("kind", "reason", "pk")


def rejection_page(found: Any, query: QueryDict, *, count: int) -> keyset.Page[Rejection]:
    """The page of rejections that a URL asks for; `count` is how many of them there may be."""
    orders = keyset.orders_of(REJECTION_ORDERS, count)
    return keyset.page_of(found, orders, query, size=REJECTIONS_SHOWN)


def beyond(found: Any, kind: str, reason: str, pk: int) -> Any:
    """Those that come after a rejection in the order of `rejections`."""
    return found.filter(
        Q(kind__gt=kind) | Q(kind=kind, reason__gt=reason) | Q(kind=kind, reason=reason, pk__gt=pk)
    )
