"""What stands in a connection's way, in the reader's language.

Errors carry a code: it is kept where the reader is not known yet, and told when they look.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from connections.provider.errors import ProviderError
from workspaces import sentences
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _

TEXTS: dict[str, Promise] = {
    # Nothing may leave for the connection.
    "no_consent": gettext_lazy(
        "Nobody has agreed to data privacy and compliance for the connection “%(name)s”."
        " An Administrator can agree on its page."
    ),
    "needs_sign_in": gettext_lazy(
        "The connection “%(name)s” needs sign-in: an Administrator must sign in to"
        " Constant Contact again on its page."
    ),
    "not_authorised": gettext_lazy(
        "The connection “%(name)s” has not been authorised at Constant Contact yet."
    ),
    "no_export_user": gettext_lazy(
        "The connection “%(name)s” has no export user. An Administrator can become it on its page."
    ),
    "export_user_not_administrator": gettext_lazy(
        "The export user of the connection “%(name)s” is no longer an Administrator."
        " Another one can take over on its page."
    ),
    # Constant Contact's answers, and the way to it.
    "throttled": gettext_lazy("Constant Contact asks for fewer requests a second."),
    "no_turn": gettext_lazy("Too many requests wait for their turn at Constant Contact."),
    "queue_full": gettext_lazy("Constant Contact has too many activities waiting."),
    "budget_spent": gettext_lazy("Today’s requests to Constant Contact are spent."),
    "unavailable": gettext_lazy("Constant Contact has a fault of its own (%(status)s)."),
    "unreachable": gettext_lazy("Constant Contact can’t be reached."),
    "unreadable": gettext_lazy("Constant Contact answered something that can’t be read."),
    "answer_lost": gettext_lazy("The connection to Constant Contact broke before its answer."),
    "gateway_lost_answer": gettext_lazy("Constant Contact lost its own answer (%(status)s)."),
    "export_unusable": gettext_lazy("Constant Contact sent a contact export without addresses."),
    "export_broke_off": gettext_lazy(
        "The contact export broke off while Constant Contact sent it."
    ),
    "strange_link": gettext_lazy("Constant Contact answered with a link to another place."),
    "sign_in_again": gettext_lazy(
        "Constant Contact no longer accepts the authorisation. An Administrator must sign in to it"
        " again on the connection’s page."
    ),
    "tokens_unreadable": gettext_lazy(
        "The stored authorisation can’t be read with this installation’s TOKEN_ENCRYPTION_KEYS."
        " Sign in to Constant Contact again, or have your operator put the earlier key back."
    ),
    "client_refused": gettext_lazy(
        "Constant Contact did not renew the authorisation: it may not accept this installation’s"
        " client ID and secret. Ask your operator to check them."
    ),
    "sign_in_silent": gettext_lazy("Constant Contact’s sign-in server gave no answer."),
    "being_renewed": gettext_lazy("Another worker is still renewing the authorisation."),
    "no_count": gettext_lazy("The count of requests is out of reach: Redis does not answer."),
    "forbidden": gettext_lazy(
        "Constant Contact does not allow this to whoever authorised the connection."
    ),
    "not_found": gettext_lazy(
        "Constant Contact knows nothing by that id: what was asked for was deleted there, or"
        " belongs to another account."
    ),
    "conflict": gettext_lazy("Constant Contact has one like it already."),
    "refused": gettext_lazy("Constant Contact refused the request (%(status)s)."),
}


def sentence(code: str, *, name: str = "", status: int = 0, said: str = "") -> Sentence:
    """The sentence for a code; `said`, in the provider's language, is quoted after it."""
    plain = sentences.of_promise(TEXTS[code], {"name": name, "status": status})
    return sentences.joined(plain, quoted(said)) if said else plain


def text(code: str, *, name: str = "", status: int = 0, said: str = "") -> str:
    return str(sentence(code, name=name, status=status, said=said))


def quoted(said: str) -> Sentence:
    return _("It said: “%(answer)s”") % {"answer": said}


def error_text(error: ProviderError) -> str:
    return text(error.code, status=error.status, said=error.said)
