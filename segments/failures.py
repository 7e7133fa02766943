"""Why the refresh of a segment failed: kept as a code, told in the reader's language."""

from collections.abc import Callable

from django.db import models
from django.utils.translation import gettext_lazy

from segments.models import Segment
from segments.rule_sentence import sentence
from segments.rule_tree import RuleError, Vocabulary, node_at, read, segments_in
from segments.selectors import words
from workspaces.sentences import Sentence, of_promise
from workspaces.sentences import gettext as _


class Failure(models.TextChoices):
    RULES = "rules", gettext_lazy("A rule makes no sense any more. Edit the rules.")
    PART = "part", gettext_lazy("A segment that it depends on failed. Mend that one first.")
    RESTING_PART = (
        "resting_part",
        gettext_lazy(
            "A segment that it depends on has no members yet, and is not active. Activate that one"
            " first."
        ),
    )
    CIRCLE = (
        "circle",
        gettext_lazy("Its rules lead back to itself by way of other segments. Edit one of them."),
    )
    DATABASE = (
        "database",
        gettext_lazy(
            "The database could not compute it. Refresh it again; if it fails again, use simpler"
            " rules."
        ),
    )


def explanation(segment: Segment, ask_vocabulary: Callable[[], Vocabulary]) -> str:
    """Why the last refresh failed, as exactly as can be said now; empty if it did not."""
    if segment.refresh_state != Segment.RefreshState.FAILED:
        return ""
    vocabulary = ask_vocabulary()
    nonsense = _nonsense(segment, vocabulary)
    if nonsense is not None:
        rule = node_at(segment.rules, nonsense.path)
        said = sentence(rule, *words()) if "match" not in rule else ""
        return f"{said}: {nonsense}" if said else str(nonsense)
    return str(cause(segment, vocabulary))


def cause(segment: Segment, vocabulary: Vocabulary) -> Sentence | str:
    """Why the last refresh failed, for who keeps it."""
    nonsense = _nonsense(segment, vocabulary)
    if nonsense is not None:
        return nonsense.sentence
    if segment.refresh_reason == Failure.PART:
        failed = Segment.objects.filter(
            pk__in=segments_in(segment.rules), refresh_state=Segment.RefreshState.FAILED
        )
        names = ", ".join(f"“{name}”" for name in failed.values_list("name", flat=True))
        if names:
            return _("It depends on %(names)s, whose refresh failed. Mend that first.") % {
                "names": names
            }
    return of_promise(Failure(segment.refresh_reason).label, {})


def _nonsense(segment: Segment, vocabulary: Vocabulary) -> RuleError | None:
    if segment.refresh_reason != Failure.RULES:
        return None
    try:
        read(segment.rules, vocabulary)
    except RuleError as nonsense:
        return nonsense
    return None
