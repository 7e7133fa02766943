"""What needs an attribute: segments whose rules speak of it, and what apps above say."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import QuerySet

from config.kept_queries import KeptQuery
from config.quick_urls import address
from segments.models import Attribute, Segment
from segments.rule_tree import RuleError, Vocabulary, read, rules_by_attribute
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Use:
    """Something that needs the attribute of that name: a `kind` of thing, called `label`.

    `page` is its URL's name and key, `problem_with` says in words why it would not work with a
    type; empty if it would.
    """

    attribute: str
    kind: str
    label: str
    workspace: Workspace
    page: tuple[str, int]
    problem_with: Callable[[str], str]

    @property
    def url(self) -> str:
        return address(self.page[0], self.workspace.slug, self.page[1])


# Of a workspace, and of which of its attributes: of all, where none is named.
Finder = Callable[[Workspace, str], Iterable[Use]]

_finders: list[Finder] = []


def add(finder: Finder) -> None:
    """Adds a function that tells who needs which attributes."""
    _finders.append(finder)


def of_all(workspace: Workspace) -> dict[str, list[Use]]:
    """Who needs each attribute of the workspace, by the attribute's name."""
    found: dict[str, list[Use]] = {}
    for finder in _finders:
        for use in finder(workspace, ""):
            found.setdefault(use.attribute, []).append(use)
    return found


def of(attribute: Attribute) -> list[Use]:
    return [use for finder in _finders for use in finder(attribute.workspace, attribute.name)]


def problems_with(
    attribute: Attribute, kind: str, *, but: Collection[tuple[str, str]] = ()
) -> list[tuple[Use, str]]:
    """Who would not work any more with another type, and why; who does not as it is, is left.

    So are those of the kinds and names in `but`.
    """
    return [
        (use, why)
        for use in of(attribute)
        if (use.kind, use.label) not in but
        and (why := use.problem_with(kind))
        and not use.problem_with(attribute.type)
    ]


def segments_using(workspace: Workspace, attribute: str) -> Iterator[Use]:
    for pk, label, tree in _rules():
        speaks_of = rules_by_attribute(tree)
        for name in speaks_of if not attribute else {attribute} & speaks_of.keys():
            problem = partial(_problem, name, speaks_of[name])
            yield Use(name, "segment", label, workspace, ("segments:segment_detail", pk), problem)


@KeptQuery
def _rules() -> QuerySet[Segment, tuple[int, str, dict[str, Any]]]:
    return Segment.objects.order_by("name").values_list("pk", "name", "rules")


def _problem(name: str, rules: list[dict[str, Any]], kind: str) -> str:
    vocabulary = Vocabulary({name: kind}, frozenset())
    for rule in rules:
        try:
            read({"match": "all", "rules": [rule]}, vocabulary)
        except RuleError as nonsense:
            return str(nonsense)
    return ""
