"""What a run works from: a destination as it is at the moment of planning, as plain data."""

from dataclasses import dataclass
from typing import Any

from connections.constant_contact.fields import CONTACT_FIELDS
from exports.models import Destination, DestinationSegment
from exports.whys import Explained, why
from segments.models import Attribute, Segment


class ConfigurationError(Explained):
    """Why a destination can't run as it is configured."""


@dataclass(frozen=True)
class Match:
    """One line of the data matching: which attribute feeds which contact field.

    `kind` is the field's, `type` the attribute's.
    """

    field: str
    attribute: str
    type: str
    kind: str
    max_length: int


@dataclass(frozen=True)
class RunConfiguration:
    workspace_id: int
    destination_id: int | None
    account_id: str
    list_id: str
    email: str
    matches: tuple[Match, ...]
    mirrors: bool
    removal_share: int
    segment_ids: tuple[int, ...]

    @property
    def delivered_to(self) -> str:
        return f"{self.account_id}:{self.list_id}"


CUSTOM_FIELD_PREFIX = "cf:"
CUSTOM_FIELD_LENGTH = 255


def match(field: str, attribute: str, type_: str) -> Match:
    if field.startswith(CUSTOM_FIELD_PREFIX):
        return Match(field, attribute, type_, "text", CUSTOM_FIELD_LENGTH)
    known = CONTACT_FIELDS[field]
    return Match(field, attribute, type_, known.kind, known.max_length)


def configuration_of(
    destination: Destination, segment_ids: list[int] | None = None
) -> RunConfiguration:
    """The configuration of a destination; `segment_ids` stand in while it is not saved yet."""
    if destination.connection is None:
        raise ConfigurationError(why("no_connection"))
    if segment_ids is None:
        segment_ids = list(
            DestinationSegment.objects.filter(destination=destination)
            .order_by("segment_id")
            .values_list("segment_id", flat=True)
        )
    matching = dict(destination.matching)
    known = dict(Attribute.objects.values_list("name", "type"))
    missing = sorted(name for name in matching.values() if name not in known)
    if missing:
        raise ConfigurationError(why("no_attribute", attribute=missing[0]))
    return RunConfiguration(
        workspace_id=destination.workspace_id,
        destination_id=destination.pk,
        account_id=destination.connection.account_id,
        list_id=destination.list_id,
        email=matching["email"],
        matches=tuple(
            match(field, matching[field], known[matching[field]])
            for field in sorted(matching)
            if field != "email"
        ),
        mirrors=destination.mode == Destination.Mode.MIRROR,
        removal_share=destination.removal_share,
        segment_ids=tuple(segment_ids),
    )


def described(destination: Destination, configuration: RunConfiguration) -> dict[str, Any]:
    """The configuration with names for people, to keep with the run."""
    connection = destination.connection
    segments = Segment.objects.filter(pk__in=configuration.segment_ids).order_by("name")
    return {
        "connection": str(connection or ""),
        "account": connection.account_name if connection else "",
        "list_id": destination.list_id,
        "list": destination.list_name,
        "matching": destination.matching,
        "mode": destination.mode,
        "segments": [
            {"id": segment.pk, "name": segment.name, "members": segment.member_count}
            for segment in segments
        ],
    }
