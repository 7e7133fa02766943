"""Destinations, their runs and batches, and the ledger of deliveries."""

from exports.models.destinations import Destination, DestinationSegment
from exports.models.erasures import ErasurePlace
from exports.models.ledger import Delivery, OptOut, PreferencePull, Rejection
from exports.models.runs import Batch, BatchContacts, Run

__all__ = [
    "Batch",
    "BatchContacts",
    "Delivery",
    "Destination",
    "DestinationSegment",
    "ErasurePlace",
    "OptOut",
    "PreferencePull",
    "Rejection",
    "Run",
]
