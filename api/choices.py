"""The models' choices as types of fields, each written out where it is used.

Many are called State: in the document, whose components have one name each, they would be one.
"""

from typing import Annotated

from django.db.models import TextChoices
from pydantic import WithJsonSchema

from connections.models import Connection
from exports.models import Destination, Rejection, Run
from segments.models import AttributeChange, Import, Segment, Source, Suppression
from workspaces.models import Archive, EndpointDelivery, Notice, Refresh, RefreshStep
from workspaces.timing import Timed


def _written_out(choices: type[TextChoices]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": choices.values})


ArchiveState = Annotated[Archive.State, _written_out(Archive.State)]
AttributeChangeState = Annotated[AttributeChange.State, _written_out(AttributeChange.State)]
ConnectionSharing = Annotated[Connection.Sharing, _written_out(Connection.Sharing)]
ConnectionState = Annotated[Connection.State, _written_out(Connection.State)]
DestinationMode = Annotated[Destination.Mode, _written_out(Destination.Mode)]
DeliveryState = Annotated[EndpointDelivery.State, _written_out(EndpointDelivery.State)]
NoticeTone = Annotated[Notice.Tone, _written_out(Notice.Tone)]
OwnSchedule = Annotated[Timed.Schedule, _written_out(Timed.Schedule)]
ImportState = Annotated[Import.State, _written_out(Import.State)]
ImportTrigger = Annotated[Import.Trigger, _written_out(Import.Trigger)]
RefreshState = Annotated[Refresh.State, _written_out(Refresh.State)]
RefreshStepState = Annotated[RefreshStep.State, _written_out(RefreshStep.State)]
RefreshTrigger = Annotated[Refresh.Trigger, _written_out(Refresh.Trigger)]
RejectionKind = Annotated[Rejection.Kind, _written_out(Rejection.Kind)]
RunState = Annotated[Run.State, _written_out(Run.State)]
RunTrigger = Annotated[Run.Trigger, _written_out(Run.Trigger)]
SegmentKind = Annotated[Segment.Kind, _written_out(Segment.Kind)]
SegmentRefreshState = Annotated[Segment.RefreshState, _written_out(Segment.RefreshState)]
SegmentState = Annotated[Segment.State, _written_out(Segment.State)]
SourceMode = Annotated[Source.Mode, _written_out(Source.Mode)]
SuppressionOrigin = Annotated[Suppression.Origin, _written_out(Suppression.Origin)]
