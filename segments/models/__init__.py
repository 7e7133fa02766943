"""Sources and their imports, attributes, profiles, segments and their members."""

from segments.models.attributes import Attribute, AttributeChange, AttributeType
from segments.models.erasures import ErasedIdentity, Erasure, ErasureSecret
from segments.models.imports import Import, RefusedRow, Upload
from segments.models.profiles import BLANKS, Profile, Suppression
from segments.models.segments import (
    Segment,
    SegmentChange,
    SegmentEntry,
    SegmentMember,
    SegmentRefresh,
)
from segments.models.sources import Source, SqlQuery

__all__ = [
    "BLANKS",
    "Attribute",
    "AttributeChange",
    "AttributeType",
    "ErasedIdentity",
    "Erasure",
    "ErasureSecret",
    "Import",
    "Profile",
    "RefusedRow",
    "Segment",
    "SegmentChange",
    "SegmentEntry",
    "SegmentMember",
    "SegmentRefresh",
    "Source",
    "SqlQuery",
    "Suppression",
    "Upload",
]
