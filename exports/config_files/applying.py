"""Makes a workspace what a file says: by the services that the screens use, all or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from exports import destinations
from exports.config_files import (
    apply_attributes,
    apply_destinations,
    apply_schedule,
    apply_segments,
    apply_sources,
)
from exports.config_files.current import document_of
from exports.config_files.differences import SECTIONS, Change, changes
from exports.config_files.document import Document, Problem
from exports.config_files.yaml_text import Path
from exports.models import Destination
from segments import segment_services, sources
from segments.models import Attribute, Segment, Source
from workspaces import audit
from workspaces.models import User, Workspace


def plan(workspace: Workspace, wanted: Document, *, removes: bool) -> list[Change]:
    """What applying would change. It is carried out and taken back: so it is refused alike."""
    with transaction.atomic():
        found = apply(workspace, wanted, removes=removes, by=None)
        transaction.set_rollback(True)
    return found


def apply(
    workspace: Workspace, wanted: Document, *, removes: bool, by: User | None, digest: str = ""
) -> list[Change]:
    """Returns what changed. `removes` what only the workspace has, of the sections in the file.

    Raises `Problem`, and nothing has changed then. The database's connections are not asked; the
    accounts of new lists are.
    """
    with transaction.atomic():
        segment_services.wait_for_other_changes(workspace)
        before = document_of(workspace)
        apply_sources.make(workspace, wanted, before, by)
        apply_attributes.apply(workspace, wanted, before, by, removes=removes)
        apply_sources.apply(workspace, wanted, before, by)
        apply_segments.apply(workspace, wanted, before, by)
        apply_destinations.apply(workspace, wanted, before, by)
        apply_schedule.apply(workspace, wanted, before, by)
        if removes:
            _remove(before, wanted, by)
        after = document_of(workspace)
        found = changes(before, after, wanted)
        made = [one for one in found if one.action != "leave"]
        if made:
            audit.record(
                workspace,
                "configuration.applied",
                actor=by,
                target=workspace,
                added=sum(one.action == "add" for one in made),
                changed=sum(one.action == "change" for one in made),
                removed=sum(one.action == "remove" for one in made),
                digest=digest,
            )
    return found


def _remove(before: Document, wanted: Document, by: User | None) -> None:
    """What needs others goes before them."""
    gone = {
        section: set(getattr(before, section)) - set(getattr(wanted, section))
        if getattr(wanted, section) is not None
        else set()
        for section in SECTIONS
    }
    for name in sorted(gone["destinations"]):
        with _refusals(("destinations", name)):
            destinations.remove(Destination.objects.get(name=name), by=by)
    for name in apply_segments.dependents_first(before, gone["segments"]):
        with _refusals(("segments", name)):
            segment_services.delete_segment(Segment.objects.get(name=name), by)
    for name in sorted(gone["attributes"]):
        apply_attributes.remove(Attribute.objects.get(name=name), by)
    for name in sorted(gone["sources"]):
        sources.remove_source(Source.objects.select_related("workspace").get(name=name), by)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    refusals: tuple[Any, ...] = (segment_services.Refused, destinations.DestinationProblem)
    try:
        yield
    except refusals as refusal:
        raise Problem(path, f"It can't be removed. {refusal}") from refusal
