"""Carries out what was asked of an attribute: in a worker, all or nothing, once at a time."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from segments import attribute_sql as sql
from segments import attribute_uses, attribute_values, attributes, population, profile_merge
from segments.conversion import typed
from segments.models import Attribute, AttributeChange
from segments.preview import TooSlow, bounded
from workspaces import audit, locks
from workspaces.planner import expect_rows
from workspaces.written import number

# Workers that may die of one change.
MAX_ATTEMPTS = 3
# A preview counts up to so many values: about two seconds.
MOST_PREVIEWED = 1_000_000


class AttributeBusy(Exception):
    """The attribute, or an import that fills it, is being worked on elsewhere."""


class Failure(models.TextChoices):
    """Why a change failed: kept as a code, told in the reader's language."""

    VALUES = "values", gettext_lazy("Some values do not convert, so nothing was changed.")
    USES = (
        "uses",
        gettext_lazy("A segment or an export has come to need it as it is. Look there first."),
    )
    WORKERS = (
        "workers",
        gettext_lazy(
            "The change broke off several times without a word, so it is not tried again. Ask"
            " whoever runs this system to look at the workers."
        ),
    )


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def explanation(change: AttributeChange) -> str:
    """Why the change failed, as exactly as can be said now; empty if it did not."""
    if change.state != AttributeChange.State.FAILED:
        return ""
    if change.reason == Failure.VALUES:
        return ngettext(
            "%(count)s value does not convert, so nothing was changed. Correct it in the source,"
            " or choose to empty it.",
            "%(count)s values do not convert, so nothing was changed. Correct them in the source,"
            " or choose to empty them.",
            change.failing,
        ) % {"count": number(change.failing)}
    if change.reason == Failure.USES and change.attribute is not None:
        uses = attribute_uses.of(change.attribute)
        if not change.removes:
            problems = attribute_uses.problems_with(change.attribute, change.type)
            uses = [use for use, _why in problems]
        if uses:
            return _("It is needed as it is by %(names)s. Change that first.") % {
                "names": ", ".join(f"“{use.label}”" for use in uses)
            }
    return str(Failure(change.reason).label)


@dataclass(frozen=True)
class Foreseen:
    """What another type would do to the values: `outcome` is None where trying took too long.

    `problems` are the uses that would not work any more, with why. `is_part` when there are more
    values than were tried.
    """

    problems: list[tuple[attribute_uses.Use, str]]
    outcome: attribute_values.Outcome | None
    is_part: bool


def foresee(attribute: Attribute, kind: str, form: str) -> Foreseen:
    problems = attribute_uses.problems_with(attribute, kind)
    try:
        with (
            bounded(),
            attribute_values.converted(
                attribute, kind, form, most=MOST_PREVIEWED, writes=False
            ) as outcome,
        ):
            return Foreseen(problems, outcome, outcome.values >= MOST_PREVIEWED)
    except TooSlow:
        return Foreseen(problems, None, True)


def run_change(change: AttributeChange, *, but: Collection[tuple[str, str]] = ()) -> None:
    """Carries a change out, from its beginning whoever began it before.

    `but` as in `attributes.request_change`. Waits for merges into the workspace's profiles. Raises
    `AttributeBusy` when the attribute, or a source that fills it, is worked on elsewhere.
    """
    if change.attribute_id is None:
        return
    with locks.held(locks.ATTRIBUTE, change.attribute_id) as free:
        if not free:
            raise AttributeBusy
        change.refresh_from_db()
        if not change.is_unfinished:
            return
        attribute = Attribute.objects.select_related("workspace").get(pk=change.attribute_id)
        with _sources_held(attribute):
            if change.attempts >= MAX_ATTEMPTS:
                _end(change, state=AttributeChange.State.FAILED, reason=Failure.WORKERS)
                return
            _note(
                change,
                state=AttributeChange.State.RUNNING,
                stage="reading",
                attempts=change.attempts + 1,
            )
            try:
                with profile_merge.alone(change.workspace_id):
                    if change.removes:
                        _remove(change, attribute)
                    else:
                        _convert(change, attribute, but)
            except _Failed as failed:
                _end(change, state=AttributeChange.State.FAILED, reason=failed.failure)


@contextmanager
def _sources_held(attribute: Attribute) -> Iterator[None]:
    """No import begins or goes on that would write the attribute as it was."""
    sources = {load.source_id for load in attributes.imports_of(attribute)} | {attribute.source_id}
    with ExitStack() as stack:
        for pk in sorted(source for source in sources if source is not None):
            if not stack.enter_context(locks.held(locks.SOURCE, pk)):
                raise AttributeBusy
        yield


def _convert(
    change: AttributeChange, attribute: Attribute, but: Collection[tuple[str, str]]
) -> None:
    if attribute_uses.problems_with(attribute, change.type, but=but):
        raise _Failed(Failure.USES)
    with attribute_values.converted(attribute, change.type, change.format) as outcome:
        _note(change, values=outcome.values, failing=outcome.failing)
        if outcome.failing and not change.empties:
            raise _Failed(Failure.VALUES)
        _note(change, stage="storing")
        with transaction.atomic(), connection.cursor() as cursor:
            expect_rows(cursor, outcome.values)
            cursor.execute(sql.CREATE_CONVERTED)
            with outcome.path.open("rb") as file:
                cursor.copy_expert(sql.COPY_CONVERTED, file)
            cursor.execute("ANALYZE converted")
            population.changed(attribute.workspace_id)
            cursor.execute(sql.CONVERT, _parameters(attribute))
            changed = cursor.rowcount
            cursor.execute("DROP TABLE converted")
            was = typed(attribute.type, attribute.format)
            attributes.keep_type(attribute, change.type, change.format)
            attributes.record_type(
                attribute,
                was,
                typed(change.type, change.format),
                change.started_by,
                emptied=outcome.failing,
            )
            _end(change, changed=changed)


def _remove(change: AttributeChange, attribute: Attribute) -> None:
    if attribute_uses.of(attribute):
        raise _Failed(Failure.USES)
    _note(change, stage="storing")
    with transaction.atomic(), connection.cursor() as cursor:
        population.changed(attribute.workspace_id)
        cursor.execute(sql.REMOVE, _parameters(attribute))
        changed = cursor.rowcount
        attributes.tell_imports(attribute, keep=False)
        # Whoever put it to use meanwhile is still in time.
        if attribute_uses.of(attribute):
            raise _Failed(Failure.USES)
        audit.record(
            attribute.workspace, "attribute.removed", actor=change.started_by, target=attribute
        )
        _end(change, changed=changed, values=changed)
        attribute.delete()


def _parameters(attribute: Attribute) -> dict[str, Any]:
    return {
        "workspace": attribute.workspace_id,
        "name": attribute.name,
        "now": timezone.now(),
    }


def _note(change: AttributeChange, **values: object) -> None:
    AttributeChange.objects.filter(pk=change.pk).update(heartbeat_at=timezone.now(), **values)
    for name, value in values.items():
        setattr(change, name, value)


def _end(
    change: AttributeChange,
    state: AttributeChange.State = AttributeChange.State.SUCCEEDED,
    **values: object,
) -> None:
    _note(change, state=state, stage="", finished_at=timezone.now(), **values)
