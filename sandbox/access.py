"""Who asks: the bearer token's account, its scopes, and the API key's limits."""

from starlette.requests import Request

from sandbox.errors import forbidden, service_error, unauthorized
from sandbox.state import Account


def account_of(request: Request, scope: str) -> Account:
    """The account the request speaks for; counts it against the limits first."""
    app = request.app.state
    app.limits.take_turn()
    header = request.headers.get("Authorization", "")
    grant = app.sandbox.by_access.get(header.removeprefix("Bearer "))
    if not header.startswith("Bearer ") or grant is None or grant.expires < app.sandbox.now():
        raise unauthorized()
    if scope not in grant.scopes.split():
        raise forbidden(f"The scope {scope} was not granted.")
    account: Account = app.sandbox.accounts[grant.account_id]
    return account


def ensure_json(request: Request) -> None:
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise service_error(
            415, "contacts.api.unsupported_media_type", "Content-Type must be application/json."
        )
