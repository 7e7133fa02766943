"""Why a profile was not sent, in words: the codes that runs keep, and what they say to people."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exports import contact_fields, whys

NO_ADDRESS = "no_address"
MALFORMED_ADDRESS = "malformed_address"
ADDRESS_TOO_LONG = "address_too_long"
FIELD_TOO_LONG = "field_too_long"
NOT_ASCII = "not_ascii"
DUPLICATE_ADDRESS = "duplicate_address"
SUPPRESSED = "suppressed"
ERASED = "erased"
UNSUBSCRIBED = "unsubscribed"
TAKEN_OFF = "taken_off"
CHANGED = "changed_at_provider"
ON_HOLD = "on_hold"
REFUSED = "refused"
BATCH_FAILED = "batch_failed"
CANCELLED = "cancelled"
STOPPED = "stopped"
GIVEN_UP = "given_up"
OUTCOME_UNKNOWN = "outcome_unknown"


@dataclass(frozen=True)
class Reason:
    """`text` may name the `detail` kept with the rejection, and what to do."""

    label: Promise
    text: Promise


REASONS: dict[str, Reason] = {
    NO_ADDRESS: Reason(
        _("No e-mail address"),
        _("The profile has no e-mail address. Add one at its source."),
    ),
    MALFORMED_ADDRESS: Reason(
        _("Not an e-mail address"),
        _("This can’t be an e-mail address. Correct it at its source."),
    ),
    ADDRESS_TOO_LONG: Reason(
        _("Address too long"),
        _("Constant Contact takes addresses of up to 80 characters, 64 of them before the @."),
    ),
    NOT_ASCII: Reason(
        _("Letters that an address can’t have"),
        _(
            "The address has accents or other characters that Constant Contact does not take."
            " Correct it at its source."
        ),
    ),
    FIELD_TOO_LONG: Reason(
        _("Value too long"),
        _("“%(detail)s” is longer than Constant Contact takes. Shorten it at its source."),
    ),
    DUPLICATE_ADDRESS: Reason(
        _("Same address as another profile"),
        _(
            "The profile %(detail)s has the same address and stands for both: the one updated"
            " last is sent."
        ),
    ),
    SUPPRESSED: Reason(
        _("On the suppression list"),
        _("A member of this workspace said that this address must not be sent."),
    ),
    ERASED: Reason(
        _("Erased"),
        _("This person was erased from the workspace, and nothing is sent to their address."),
    ),
    UNSUBSCRIBED: Reason(
        _("Unsubscribed"),
        _("This person unsubscribed at Constant Contact, and that is kept."),
    ),
    TAKEN_OFF: Reason(
        _("Taken off the list"),
        _(
            "At Constant Contact this person was taken off the list. They are not put back until a"
            " member says so on the export’s page."
        ),
    ),
    CHANGED: Reason(
        _("Changed at Constant Contact"),
        _(
            "Nobody at Constant Contact has this address any more: it was changed there, or its"
            " contact deleted. Correct it at its source. As it is, it is not sent until a member"
            " says so on the export’s page."
        ),
    ),
    ON_HOLD: Reason(
        _("On hold at Constant Contact"),
        _("Constant Contact does not mail this address, for example after bounces."),
    ),
    REFUSED: Reason(
        _("Refused by Constant Contact"),
        _("Constant Contact did not take this contact, and does not say why."),
    ),
    BATCH_FAILED: Reason(
        _("Its batch failed"),
        _("The batch that carried it failed. The next run sends it again."),
    ),
    CANCELLED: Reason(
        _("Cancelled before it was sent"),
        _("The run was cancelled before this profile’s turn. The next run sends it."),
    ),
    STOPPED: Reason(
        _("Stopped before it was sent"),
        _("The run had to stop before this profile’s turn. The next run sends it."),
    ),
    GIVEN_UP: Reason(
        _("Given up"),
        _(
            "The batch that carried it could not be sent, though it was tried often enough. The"
            " next run sends it."
        ),
    ),
    OUTCOME_UNKNOWN: Reason(
        _("Outcome unknown"),
        _(
            "Constant Contact took the batch, but what became of it could not be read. The next"
            " run sends it again."
        ),
    ),
}

# Their detail is what the provider answered, or what stopped the run: a `Why`.
_TELL_MORE = {BATCH_FAILED, STOPPED, GIVEN_UP, OUTCOME_UNKNOWN}


def label(code: str) -> str:
    """A few words for a table or a filter; a code nobody has put in words stands for itself."""
    reason = REASONS.get(code)
    return str(reason.label) if reason else code


def text(code: str, detail: str = "") -> str:
    """The whole sentence: why, and what to do."""
    reason = REASONS.get(code)
    if reason is None:
        return detail or code
    if code in _TELL_MORE and detail:
        return f"{reason.text} {whys.loaded_text(detail)}"
    if code == FIELD_TOO_LONG:
        detail = contact_fields.label(detail)
    return str(reason.text) % {"detail": detail}
