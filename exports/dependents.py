"""What exports tell the apps below: which use a connection, a segment or an attribute."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from config.kept_queries import KeptQuery
from config.quick_urls import address
from connections.dependents import Dependent
from connections.models import Connection
from connections.services import Refused
from exports import contact_fields, custom_fields, destinations, lists, matching
from exports.models import Destination, DestinationSegment
from segments.attribute_uses import Use
from segments.models import Attribute, Segment
from workspaces.members import Belonging
from workspaces.models import Membership, User, Workspace


def of_connections(connections: Sequence[Connection]) -> dict[int, list[Dependent]]:
    using = Destination.objects.filter(connection__in=connections).select_related("workspace")
    found: dict[int, list[Dependent]] = {}
    for destination in using.order_by("name"):
        if destination.connection_id is not None:
            found.setdefault(destination.connection_id, []).append(_dependent(destination))
    return found


def _dependent(destination: Destination) -> Dependent:
    def remove(by: User | None) -> None:
        try:
            destinations.remove(destination, by=by)
        except destinations.DestinationProblem as problem:
            raise Refused(str(problem)) from problem

    return Dependent(
        key=f"export-{destination.pk}",
        label=destination.name,
        url=_url(destination),
        detach=_detacher(destination),
        remove=remove,
        kept_by=destination.updated_by_id or destination.created_by_id,
    )


def of_member(membership: Membership) -> Iterator[Belonging]:
    """The exports that send and that the member was the last to set up."""
    user = membership.user_id
    found = Destination.objects.filter(
        Q(updated_by=user) | Q(updated_by=None, created_by=user), connection__isnull=False
    )
    for destination in found.select_related("workspace").order_by("name"):
        yield Belonging(
            what=_("the export “%(name)s”, which they set up") % {"name": destination.name},
            url=_url(destination),
            stop=_detacher(destination),
            take_over=_taker(destination),
        )


def _detacher(destination: Destination) -> Callable[[User | None], None]:
    return lambda by: destinations.detach(destination, by=by)


def _taker(destination: Destination) -> Callable[[User], None]:
    return lambda by: destinations.take_over(destination, by=by)


def of_segments(segments: Sequence[Segment]) -> dict[int, list[tuple[str, str]]]:
    slug = segments[0].workspace.slug
    found: dict[int, list[tuple[str, str]]] = {}
    for segment_id, name, pk in _links(segments=[segment.pk for segment in segments]):
        url = address("exports:destination_detail", slug, pk)
        found.setdefault(segment_id, []).append((name, url))
    return found


@KeptQuery
def _links(segments: Any) -> QuerySet[DestinationSegment, tuple[int, str, int]]:
    links = DestinationSegment.objects.filter(segment__pk__any_of=segments)
    return links.order_by("destination__name").values_list(
        "segment_id", "destination__name", "destination_id"
    )


def of_attributes(workspace: Workspace, attribute: str) -> Iterator[Use]:
    connection_of = cache(lambda pk: Connection.objects.filter(pk=pk).first())
    for pk, label, sent, connection in _sending():
        page = ("exports:destination_detail", pk)
        for name in dict.fromkeys(sent.values()):
            if attribute in ("", name):
                fed = [field for field in sent if sent[field] == name]
                problem = partial(_problem, partial(connection_of, connection), fed)
                yield Use(name, "destination", label, workspace, page, problem)


@KeptQuery
def _sending() -> QuerySet[Destination, tuple[int, str, dict[str, str], int | None]]:
    found = Destination.objects.order_by("name")
    return found.values_list("pk", "name", "matching", "connection_id")


def _problem(connection_of: Callable[[], Connection | None], fields: list[str], kind: str) -> str:
    """Why an attribute of the type can't feed the contact fields; empty if it can."""
    attribute = Attribute(type=kind)
    for field, _name in matching.ordered(dict.fromkeys(fields, "")):
        if custom_fields.is_custom(field):
            problem = _problem_with_custom_field(connection_of, field, attribute)
            if problem:
                return problem
        elif not matching.fits(field, attribute):
            return _("%(field)s takes no %(type)s") % {
                "field": contact_fields.label(field),
                "type": str(attribute.get_type_display()).lower(),
            }
    return ""


def _problem_with_custom_field(
    connection_of: Callable[[], Connection | None], field: str, attribute: Attribute
) -> str:
    """Only the account knows which of its own fields are dates."""
    if attribute.type in matching.DATES or (connection := connection_of()) is None:
        return ""
    try:
        known = custom_fields.custom_fields_of(connection)
    except lists.ListProblem:
        return _("the account can’t be asked now whether %(field)s is a date") % {
            "field": contact_fields.label(field)
        }
    is_date = any(one.target == field and one.is_date for one in known)
    return _("%(field)s is a date") % {"field": contact_fields.label(field)} if is_date else ""


def _url(destination: Destination) -> str:
    return address("exports:destination_detail", destination.workspace.slug, destination.pk)
