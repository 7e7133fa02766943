"""Segments, as a file says them: each after those that its rules name."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from exports.config_files import current, parts
from exports.config_files.by_name import segments_named, with_ids
from exports.config_files.document import Document, Problem
from exports.config_files.document import Segment as Said
from exports.config_files.yaml_text import Path
from segments import segment_services, segment_states, static_segments, tags
from segments.models import Attribute, Segment
from segments.rule_tree import RuleError
from segments.segment_services import Refused
from workspaces.models import User, Workspace


def apply(workspace: Workspace, wanted: Document, before: Document, by: User | None) -> None:
    """Raises `Problem`."""
    said, had = wanted.segments or {}, before.segments or {}
    order = _in_order({**had, **said}, said)
    finished = [name for name in order if name in said and said[name].state != "draft"]
    drafts = [name for name in said if said[name].state == "draft"]
    # A draft may name one that comes after it.
    for name in [*finished, *drafts, *drafts]:
        there = Segment.objects.select_related("workspace").filter(name=name).first()
        if there is None:
            _create(workspace, name, said[name], by)
        elif said[name] != current.segment(there):
            _change(there, said[name], by)


def dependents_first(before: Document, names: Iterable[str]) -> list[str]:
    """Of circles, which only drafts are in, in any order."""
    said = before.segments or {}
    gone = sorted(names)
    rank = {name: place for place, name in enumerate(_in_order(said, {}))}
    return sorted(gone, key=lambda name: -rank.get(name, -1))


def _in_order(all_of_them: dict[str, Said], said: dict[str, Said]) -> list[str]:
    """What names no other first, without drafts. Raises `Problem` for a circle in the file."""
    graph = {
        name: segments_named(one.rules) & all_of_them.keys()
        for name, one in all_of_them.items()
        if one.state != "draft"
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        names = list(circle.args[1])
        place = next((name for name in names if name in said), names[0])
        around = " → ".join(f"“{name}”" for name in reversed(names))
        raise Problem(
            ("segments", place, "rules"),
            f"These segments need each other: {around}. Take one out of the rules of another.",
        ) from None


def _create(workspace: Workspace, name: str, said: Said, by: User | None) -> None:
    path: Path = ("segments", name)
    is_draft = said.state == "draft"
    try:
        if said.kind == "static":
            if is_draft:
                raise Problem((*path, "state"), "A static segment is never a draft.")
            segment = static_segments.declare(
                workspace,
                name=name,
                description=said.description,
                listed_by=_listed_by(said, path),
                by=by,
            )
        else:
            segment = segment_services.create_segment(
                workspace,
                name,
                _rules(said, path),
                by,
                said.description,
                is_draft=is_draft,
            )
        _settle(segment, said, by, is_new=True)
    except RuleError as nonsense:
        raise Problem(_path_of(path, nonsense), nonsense) from nonsense
    except Refused as refusal:
        raise Problem(path, refusal) from refusal


def _change(segment: Segment, said: Said, by: User | None) -> None:
    path: Path = ("segments", segment.name)
    if said.kind != segment.kind:
        raise Problem(
            (*path, "kind"),
            f"It is {segment.kind} and stays so. Give the other one a name of its own.",
        )
    if said.state == "draft" and not segment.is_draft:
        raise Problem((*path, "state"), "It is no draft any more. Say active or inactive.")
    rules = segment.rules
    try:
        with parts.unless_as_it_was(lambda: _look(segment)):
            if said.kind == "static":
                static_segments.describe(
                    segment,
                    name=segment.name,
                    description=said.description,
                    listed_by=_listed_by(said, path),
                    by=by,
                )
            elif _differs(segment, said):
                segment_services.change_segment(
                    segment,
                    name=segment.name,
                    rules=_rules(said, path),
                    description=said.description,
                    by=by,
                    is_draft=said.state == "draft",
                )
            _settle(segment, said, by, is_new=segment.rules != rules)
    except RuleError as nonsense:
        raise Problem(_path_of(path, nonsense), nonsense) from nonsense
    except Refused as refusal:
        raise Problem(path, refusal) from refusal


def _differs(segment: Segment, said: Said) -> bool:
    there = current.segment(segment)
    finishes = segment.is_draft and said.state != "draft"
    return finishes or (there.rules, there.description) != (said.rules, said.description)


def _look(segment: Segment) -> Said:
    return current.segment(Segment.objects.get(pk=segment.pk))


def _settle(segment: Segment, said: Said, by: User | None, *, is_new: bool) -> None:
    """Its tags and its state; who is in it is found out by the workers where the rules are new."""
    segment = Segment.objects.select_related("workspace").get(pk=segment.pk)
    tags.set_tags(segment, said.tags, by)
    if said.state == "inactive":
        segment_states.deactivate(segment, by)
    elif said.state == "active" and not segment.is_active:
        segment_states.activate(segment, by)
    elif said.state == "active" and is_new:
        segment_services.request_refresh(segment)


def _rules(said: Said, path: Path) -> object:
    is_draft = said.state == "draft"
    known = Segment.objects.all() if is_draft else Segment.objects.exclude(state="draft")
    ids = dict(known.values_list("name", "pk"))
    return with_ids(said.rules, ids, (*path, "rules"), is_draft=is_draft)


def _listed_by(said: Said, path: Path) -> str:
    if said.listed_by is None:
        return ""
    if not Attribute.objects.filter(name=said.listed_by).exists():
        raise Problem(
            (*path, "listed_by"),
            f"There is no attribute “{said.listed_by[:100]}”. Add it to the file’s attributes, or"
            " leave this out for the key.",
        )
    return said.listed_by


def _path_of(path: Path, nonsense: RuleError) -> Path:
    places = [part for place in nonsense.path for part in ("rules", place)]
    return (*path, "rules", *places)
