"""The words an Administrator agrees to, in their language. A change of the words is a new version.

What is recorded is what was read: a form carries the fingerprint of the words it showed.
"""

import hashlib

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERSION = "2026-11"

PARAGRAPHS: tuple[Promise, ...] = (
    _(
        "By agreeing you allow Segue to send data of your customers, personal data included, to"
        " the Constant Contact account that you connect. There it lies outside this workspace,"
        " under the terms that you have with Constant Contact."
    ),
    _(
        "Data leaves at your instruction only. You answer for having your customers’ permission,"
        " and for Constant Contact meeting the obligations of privacy and security that you have."
    ),
    _(
        "An Administrator can withdraw this at any time, here or by removing the connection:"
        " nothing more is sent from the next batch on. What was sent before stays at Constant"
        " Contact until it is deleted there."
    ),
)


def text() -> str:
    """The words in the reader's language."""
    return "\n\n".join(str(paragraph) for paragraph in PARAGRAPHS)


def fingerprint() -> str:
    """Tells one wording from another."""
    return hashlib.sha256(f"{VERSION}\n{text()}".encode()).hexdigest()[:32]
