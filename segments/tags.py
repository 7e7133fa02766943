"""Tags: free words on segments. One is there as long as a segment has it."""

import re
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.kept_queries import KeptQuery
from segments.models import Segment
from segments.segment_services import Refused
from workspaces import audit
from workspaces.models import User, Workspace

LONGEST, MOST = 50, 20
BETWEEN = re.compile(r"[,;\r\n\t]+")


def counted() -> list[tuple[str, int]]:
    """The workspace's tags, with how many segments have each."""
    found = Counter(tag for tags in _tagged() for tag in tags)
    return sorted(found.items(), key=lambda one: one[0].casefold())


@KeptQuery
def _tagged() -> QuerySet[Segment, list[str]]:
    return Segment.objects.exclude(tags=[]).values_list("tags", flat=True)


def split(text: str) -> list[str]:
    """What a person typed, with commas between."""
    return [word for part in BETWEEN.split(text) if (word := " ".join(part.split()))]


def set_tags(segment: Segment, words: Iterable[str], by: User | None) -> None:
    """Gives the segment these tags and no others. Raises `Refused`."""
    with transaction.atomic():
        locked = Segment.objects.select_for_update(of=("self",)).get(pk=segment.pk)
        _keep(locked, _known(words), by)


def add_tags(segments: Iterable[Segment], words: Iterable[str], by: User | None) -> None:
    """Gives each of the segments these tags too. Raises `Refused`; then none has them."""
    with transaction.atomic():
        given = _known(words)
        for locked in _locked(segments):
            _keep(locked, {**{tag.casefold(): tag for tag in locked.tags}, **given}, by)


def rename_tag(workspace: Workspace, tag: str, becomes: str, by: User | None) -> None:
    """On every segment; into one that is there already, both become one. Raises `Refused`."""
    words = split(becomes)
    if len(words) != 1:
        raise Refused(_("Give the tag a name, without a comma."))
    with transaction.atomic():
        others = [word for word in words if word.casefold() != tag.casefold()]
        new = next(iter(_known(others).values())) if others else _checked(words[0])
        segments = _locked(Segment.objects.filter(tags__contains=[tag]))
        for segment in segments:
            kept = {one.casefold(): one for one in segment.tags if one != tag}
            segment.tags = _sorted({**kept, new.casefold(): new})
            segment.save(update_fields=["tags"])
        if segments:
            audit.record(workspace, "tag.renamed", actor=by, was=tag, becomes=new)


def delete_tag(workspace: Workspace, tag: str, by: User | None) -> None:
    """Takes it off every segment; the segments stay."""
    with transaction.atomic():
        segments = _locked(Segment.objects.filter(tags__contains=[tag]))
        for segment in segments:
            segment.tags = [one for one in segment.tags if one != tag]
            segment.save(update_fields=["tags"])
        if segments:
            audit.record(workspace, "tag.deleted", actor=by, was=tag, count=len(segments))


def _locked(segments: Iterable[Segment]) -> list[Segment]:
    ids = [segment.pk for segment in segments]
    found = Segment.objects.select_for_update(of=("self",)).select_related("workspace")
    return list(found.filter(pk__in=ids).order_by("pk"))


def _keep(segment: Segment, tags: dict[str, str], by: User | None) -> None:
    if len(tags) > MOST:
        raise Refused(
            _("A segment has at most %(most)d tags. Take some off “%(name)s” first.")
            % {"most": MOST, "name": segment.name}
        )
    becomes = _sorted(tags)
    if becomes == segment.tags:
        return
    was, segment.tags = segment.tags, becomes
    segment.save(update_fields=["tags"])
    audit.record(
        segment.workspace, "segment.tagged", actor=by, target=segment, was=was, becomes=becomes
    )


def _known(words: Iterable[str]) -> dict[str, str]:
    """By their small letters; written as the workspace writes them already."""
    there = {tag.casefold(): tag for tag, _count in counted()}
    return {
        word.casefold(): there.get(word.casefold(), word) for word in map(_checked, words) if word
    }


def _checked(word: str) -> str:
    if len(word) > LONGEST or "\0" in word:
        raise Refused(_("A tag has at most %(most)d characters. Shorten it.") % {"most": LONGEST})
    return word


def _sorted(tags: dict[str, str]) -> list[str]:
    return [tags[key] for key in sorted(tags)]
