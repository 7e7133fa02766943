"""Why a run or a batch ended as it did, or waits: kept as a code with what belongs to it.

Workers don't know who will read it, nor in which language: it becomes a sentence when it is shown.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connections import words
from connections.access import NotUsable
from connections.provider.errors import ProviderError
from workspaces import sentences
from workspaces.sentences import Sentence

Why = dict[str, Any]

TEXTS: dict[str, Promise] = {
    # Nothing to do
    "nobody": _("Nobody is in the selected segments."),
    "no_segments": _("The export has no segments: edit it and select one."),
    "segment_inactive": _(
        "The segment “%(segment)s” is not active, so its members are out of date. Activate it or"
        " take it out of the export, then run the export again."
    ),
    "segment_failed": _(
        "The last refresh of the segment “%(segment)s” failed, so its members may be out of date."
        " Mend it and refresh it, then run the export again."
    ),
    "segment_never_refreshed": _(
        "The segment “%(segment)s” has never been refreshed. Refresh it, then run the export again."
    ),
    "segment_empty": _(
        "The segment “%(segment)s” is empty, and people would be taken off the list for it. If it"
        " is to be empty, take it out of the export, then run it again."
    ),
    # Not as it is configured
    "too_many": _(
        "The selected segments hold %(count)s profiles, and a run sends at most %(most)s. Select"
        " fewer segments, or make them smaller."
    ),
    "no_connection": _("The export has no connection: give it one, then run it again."),
    "no_attribute": _(
        "The attribute “%(attribute)s” no longer exists: edit the export’s data matching."
    ),
    # In the middle
    "detached": _("The export’s connection was detached."),
    "restored": _(
        "The system was restored from a backup in the middle of this run. The next run reads the"
        " list and goes on from there."
    ),
    "disk_full": _(
        "The database’s disk is full. The run goes on by itself once there is room: tell your"
        " operator."
    ),
    "another_plan": _("Another large run is being planned."),
    "others_take_off": _("Another export is taking people off the same list."),
    "others_send": _("Another export is sending to the same list."),
    "reading_list": _(
        "Constant Contact writes out the contacts that are to be read back: about %(requests)s"
        " requests, however many they are."
    ),
    "export_given_up": _(
        "The list could not be read back: Constant Contact gave up its export of contacts."
    ),
    "export_never_ended": _(
        "Constant Contact did not finish reading its contacts out within two hours. The next run"
        " tries again."
    ),
    "removal_never_ended": _(
        "Constant Contact did not finish taking people off the list within two hours. The next run"
        " tries again."
    ),
    "taking_off": _("Constant Contact takes who left the segments off the list: %(count)s."),
    "removal_failed": _("Taking people off the list failed at Constant Contact."),
    "still_on_list": _(
        "People who could not be taken off the list: %(count)s. The next run tries again."
    ),
    # Of an erased person who is still on a list
    "run_under_way": _("A run that is under way may still send them."),
    "no_connection_to_account": _(
        "No connection leads to this account any more. Add one, or take the person off there by"
        " hand and say so here."
    ),
    "address_unreadable": _(
        "The address can’t be read with this installation’s TOKEN_ENCRYPTION_KEYS. Have your"
        " operator put the earlier key back, or take the person off by hand and say so here."
    ),
    # Of a batch
    "import_cancelled": _("Constant Contact cancelled the import."),
    "import_failed": _("The import failed at Constant Contact."),
    "import_timed_out": _("The import timed out at Constant Contact."),
    "not_within_a_day": _("Constant Contact did not finish it within a day."),
    "outcome_unread": _("Constant Contact took it, but its outcome could not be read."),
    "broke_off": _(
        "Its worker ended without a word %(times)s times at the same point, so it is not tried"
        " again: it may want more memory than the workers have. Send fewer profiles, or fewer"
        " fields, or ask whoever runs this system to look at the workers. The next run goes on"
        " from what was sent."
    ),
    "given_up": _("Given up after %(attempts)s attempts. The last answer:"),
    # At the end
    "batches_failed": _("Batches that failed: %(failed)s of %(all)s."),
    "refused_unnamed": _(
        "Constant Contact refused %(count)s contacts, and the list could not be read back to name"
        " them."
    ),
    "not_taken_off": _("People who left the segments could not be taken off the list."),
    # From before reasons were kept as codes
    "told": _("%(text)s"),
}

# What is waited for in the course of every run: nothing is wrong.
ROUTINE = frozenset({"reading_list", "taking_off", "another_plan"})


class Explained(Exception):
    """An exception that says why, for people: its text is in the language of who asks."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return text(self.why)


def why(code: str, *causes: Why, **parameters: Any) -> Why:
    """Plain data, to be kept as JSON. `said` quotes the provider."""
    known = {name: value for name, value in parameters.items() if value not in ("", None)}
    return {"code": code, **known} | ({"causes": [*causes]} if any(causes) else {})


def why_of(error: Exception) -> Why:
    """Of what a connection or Constant Contact raised, or what explains itself."""
    if isinstance(error, Explained):
        return error.why
    if isinstance(error, NotUsable):
        return why(error.code, name=error.name)
    if isinstance(error, ProviderError):
        return why(error.code, status=error.status, said=error.said)
    raise TypeError(f"nobody can say why of {error!r}")


def sentence(why: Mapping[str, Any]) -> Sentence:
    """For a reason that there is."""
    code = why["code"]
    if code in words.TEXTS:
        known = {name: why[name] for name in ("name", "status", "said") if name in why}
        found = words.sentence(code, **known)
    else:
        values = {name: value for name, value in why.items() if name not in ("code", "causes")}
        found = sentences.of_promise(TEXTS[code], values)
        if why.get("said"):
            found = sentences.joined(found, words.quoted(why["said"]))
    return sentences.joined(found, *(sentence(cause) for cause in why.get("causes", ())))


def text(why: Mapping[str, Any]) -> str:
    """One sentence or several; empty for no reason at all."""
    return str(sentence(why)) if why.get("code") else ""


def dumped(why: Why) -> str:
    """To be kept in a column of text; `loaded_text` reads it."""
    return orjson.dumps(why).decode() if why else ""


def loaded_text(kept: str) -> str:
    """What was dumped, as a sentence; anything else as it is."""
    if not kept.startswith('{"code":'):
        return kept
    return text(orjson.loads(kept))
