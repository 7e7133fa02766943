"""Everything that can go wrong with a provider, sorted by what to do about it.

No message carries a token or an address: what the provider says is quoted only after both are
taken out of it.
"""

from datetime import datetime
from typing import ClassVar, Literal

Advice = Literal["retry", "sign_in", "give_up"]


class ProviderError(Exception):
    """`status` is the HTTP status (0: no answer), `key` the provider's `error_key`.

    `advice` is what to do: "retry" the same later, have a person "sign_in" again, or "give_up".
    `retry_after`: seconds the provider asks to wait before a retry, if it said.
    `code` says what happened, for who puts it in other words; `said` is the provider's own.
    """

    advice: ClassVar[Advice] = "give_up"
    usual_code: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        key: str = "",
        retry_after: float | None = None,
        code: str = "",
        said: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.key = key
        self.retry_after = retry_after
        self.code = code or self.usual_code
        self.said = said


class Throttled(ProviderError):
    """Too many requests a second; this one was not taken. Retry after a moment."""

    advice = "retry"
    usual_code = "throttled"


class QueueFull(Throttled):
    """Too many activities wait at the provider; this one was not taken. Retry in minutes."""

    usual_code = "queue_full"


class BudgetSpent(ProviderError):
    """No requests are left for today; this one was not taken. Retry at `until`."""

    advice = "retry"
    usual_code = "budget_spent"

    def __init__(self, message: str, *, until: datetime, status: int = 0, key: str = "") -> None:
        super().__init__(message, status=status, key=key)
        self.until = until


class Unavailable(ProviderError):
    """The provider could not be reached or could not do it; the request was not taken. Retry."""

    advice = "retry"
    usual_code = "unavailable"


class OutcomeUnknown(ProviderError):
    """The request was sent and its answer lost: it may have been taken.

    Retry what may happen twice; before, look whether it was taken where that can be seen.
    """

    advice = "retry"
    usual_code = "answer_lost"


class SignInAgain(ProviderError):
    """The authorisation has ended: a person must sign in at the provider again."""

    advice = "sign_in"
    usual_code = "sign_in_again"


class Forbidden(ProviderError):
    """The account, or the person who authorised, may not do this. Give up."""

    usual_code = "forbidden"


class NotFound(ProviderError):
    """There is nothing by that id in this account. Give up."""

    usual_code = "not_found"


class Conflict(ProviderError):
    """The name exists already, or two changes met. Give up, or choose another name."""

    usual_code = "conflict"


class InvalidRequest(ProviderError):
    """The provider does not accept the request as it is; the same again will not help."""

    usual_code = "refused"
