"""How a connection stands, in a word and a sentence: what stops exports, and what to do."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connections.access import why_not
from connections.models import Connection

_LABELS: dict[str, Promise | str] = {
    "no_consent": _("Consent is missing"),
    "no_export_user": _("No export user"),
    "export_user_not_administrator": _("Export user is no Administrator"),
}


@dataclass(frozen=True)
class Health:
    """`state` names a look (`workspaces.statuses`); `problem` is empty when exports may run."""

    state: str
    label: Promise | str
    code: str = ""
    problem: str = ""


def of(connection: Connection) -> Health:
    """Of one that was asked for with its grounds, as `connections.selectors` does."""
    if connection.state == Connection.State.DRAFT:
        return Health("draft", Connection.State.DRAFT.label, "draft")
    problem = why_not(connection)
    if problem is None:
        return Health("active", Connection.State.ACTIVE.label)
    ended = problem.code not in _LABELS
    return Health(
        "needs_sign_in" if ended else "resting",
        Connection.State.NEEDS_SIGN_IN.label if ended else _LABELS[problem.code],
        problem.code,
        str(problem),
    )
