"""What exports tell the apps below: which of them use a connection or a segment."""

from django.urls import reverse

from connections.dependents import Dependent
from connections.models import Connection
from connections.services import Refused
from exports import destinations
from exports.models import Destination, DestinationSegment
from segments.models import Segment
from workspaces.models import User


def of_connection(connection: Connection) -> list[Dependent]:
    found = Destination.objects.filter(connection=connection).select_related("workspace")
    return [_dependent(destination) for destination in found.order_by("name")]


def _dependent(destination: Destination) -> Dependent:
    def detach(by: User) -> None:
        destinations.detach(destination, by=by)

    def remove(by: User) -> None:
        try:
            destinations.remove(destination, by=by)
        except destinations.DestinationProblem as problem:
            raise Refused(str(problem)) from problem

    return Dependent(
        key=f"export-{destination.pk}",
        label=destination.name,
        url=_url(destination),
        detach=detach,
        remove=remove,
    )


def of_segment(segment: Segment) -> list[tuple[str, str]]:
    links = DestinationSegment.objects.filter(segment=segment).values("destination_id")
    found = Destination.objects.filter(pk__in=links).select_related("workspace").order_by("name")
    return [(destination.name, _url(destination)) for destination in found]


def _url(destination: Destination) -> str:
    return reverse("exports:destination_detail", args=[destination.workspace.slug, destination.pk])
