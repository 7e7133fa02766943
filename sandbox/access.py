"""Who asks: the bearer token's account, its scopes, its user, and the API key's limits."""

from starlette.requests import Request

from sandbox.bodies import UUID
from sandbox.errors import forbidden, not_found, service_error, unauthorized
from sandbox.state import Account, Grant, User


def account_of(request: Request, scope: str, privilege: str) -> Account:
    """The account the request speaks for, if token and user may; counts the request first."""
    grant = grant_of(request)
    if scope not in grant.scopes.split():
        raise forbidden(f"The scope {scope} was not granted.")
    account: Account = request.app.state.sandbox.accounts[grant.account_id]
    if privilege not in user_of(account, grant).privileges:
        raise forbidden(f"The user lacks the privilege {privilege}.")
    return account


def grant_of(request: Request) -> Grant:
    app = request.app.state
    app.limits.take_turn()
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    grant: Grant | None = app.sandbox.by_access.get(token)
    if kind != "Bearer" or grant is None or grant.expires <= app.sandbox.now():
        raise unauthorized()
    return grant


def user_of(account: Account, grant: Grant) -> User:
    return next(user for user in account.users if user.email == grant.user)


def ensure_json(request: Request) -> None:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind != "application/json":
        raise service_error(
            415, "contacts.api.unsupported_media_type", "Content-Type must be application/json."
        )


def id_in_path(request: Request, name: str) -> str:
    """The id in the path, in lower case; malformed ones are not found, as the provider has it."""
    found: str = request.path_params[name]
    if not UUID.fullmatch(found):
        raise not_found(f"{name} is in an invalid format.")
    return found.lower()
