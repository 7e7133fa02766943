"""Connections: seen, made, shared and removed, without a secret.

Consenting and signing in at Constant Contact stay a person's, in a browser: an answer says which is
the next step, and on which page.
"""

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from ninja import Field, Query, Router, Schema, Status

from api.checked import posted, require_valid
from api.choices import ConnectionSharing, ConnectionState
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.problems import Problem
from api.schemas import Body, Id, Name, Page, Text
from connections import authorisation, dependents, services, words
from connections.forms import ConnectionForm
from connections.models import Connection
from connections.provider.errors import ProviderError
from connections.selectors import all_connections, standing_consent, usable_by
from workspaces.permissions import may

router = Router()
MOST = 1_000
Sharing = Literal["administrators", "contributors", "named"]
SHARING = "With whom: nobody but Administrators, all Contributors, or those of `shared_with`."


class ConnectionOut(Schema):
    id: int = Field(examples=[1])
    name: str = Field(examples=["Harbour Books"])
    provider: str = Field(examples=["constant_contact"])
    state: ConnectionState = Field(examples=["active"])
    sharing: ConnectionSharing = Field(examples=["contributors"])
    account_id: str = Field(examples=["a1b2c3d4e5f6"])
    account_name: str = Field(examples=["Harbour Books"])
    has_consent: bool = Field(description="Whether consent to data privacy stands.")
    has_export_user: bool = Field(description="Whether a member vouches for its exports.")
    shared_with: list[int] = Field(
        description="Ids of the members whom `named` names.", examples=[[]]
    )
    authorised_at: datetime | None
    next_step: Literal["sign_in", "export_user", "consent"] | None = Field(
        description="What keeps exports from sending over it: a person does it on its `page`. An"
        " export user can also be made by their own token. Null: nothing does.",
        examples=[None],
    )
    page: str = Field(
        description="The connection’s page.",
        examples=["https://segue.example.com/w/harbour-books/connections/1/"],
    )

    @staticmethod
    def resolve_shared_with(connection: Connection) -> list[int]:
        if connection.sharing != Connection.Sharing.NAMED:
            return []
        return sorted(connection.shares.values_list("membership_id", flat=True))

    @staticmethod
    def resolve_next_step(connection: Connection) -> str | None:
        if not connection.access_token or connection.state == Connection.State.NEEDS_SIGN_IN:
            return "sign_in"
        if connection.export_user_id is None:
            return "export_user"
        return None if standing_consent(connection) else "consent"

    @staticmethod
    def resolve_page(connection: Connection) -> str:
        path = reverse("connections:detail", args=[connection.workspace.slug, connection.pk])
        return f"{settings.BASE_URL}{path}"

    @staticmethod
    def resolve_has_consent(connection: Connection) -> bool:
        return standing_consent(connection) is not None

    @staticmethod
    def resolve_has_export_user(connection: Connection) -> bool:
        return connection.export_user_id is not None


class ConnectionIn(Body):
    name: Name = Field(examples=["Harbour Books"])
    sharing: Sharing = Field("administrators", description=SHARING, examples=["administrators"])
    shared_with: list[Id] = Field([], max_length=MOST, examples=[[]])


class ConnectionChange(Body):
    """What is left out stays as it is."""

    name: Name | None = Field(None, examples=["Harbour Books"])
    sharing: Sharing | None = Field(None, description=SHARING, examples=["contributors"])
    shared_with: list[Id] | None = Field(None, max_length=MOST, examples=[None])
    stop_exports: bool = Field(
        False,
        description="Agree that the exports stop that rest on a sharing taken away. Without it the"
        " change is refused, and `stopping` names them.",
    )


class Account(Schema):
    """The account as it answered just now."""

    account_id: str = Field(examples=["a1b2c3d4e5f6"])
    account_name: str = Field(examples=["Harbour Books"])


class DependentOut(Schema):
    key: str = Field(examples=["export-4"])
    name: str = Field(examples=["Newsletter"])
    page: str = Field(examples=["https://segue.example.com/w/harbour-books/data/exports/4/"])


class Removal(Schema):
    """What becomes of the connection’s dependents, by their keys: each needs to be named."""

    detach: list[Text] = Field([], max_length=MOST, description="Those that rest from now on.")
    remove: list[Text] = Field([], max_length=MOST, description="Those that go with it.")


def seen_by(request: ApiRequest) -> list[Connection]:
    """All of them for Administrators; for Contributors those that are shared with them."""
    member = request.membership
    return list(all_connections()) if may(member, "connection.view") else usable_by(member)


def connection_of(request: ApiRequest, pk: int) -> Connection:
    found = next((one for one in seen_by(request) if one.pk == pk), None)
    if found is None:
        raise Http404
    return found


@router.get("/connections", response=Page[ConnectionOut], summary="List connections")
@needs(Scope.READ, rule="workspace.view")
def list_connections(request: ApiRequest) -> dict[str, Any]:
    """The accounts that exports may send over: all for Administrators, else the shared ones."""
    return {"items": seen_by(request), "next": None}


@router.get("/connections/{int:connection_id}", response=ConnectionOut, summary="Get a connection")
@needs(Scope.READ, rule="workspace.view")
def get_connection(request: ApiRequest, connection_id: int) -> Connection:
    """One account, and whether it may be sent over."""
    return connection_of(request, connection_id)


@router.post("/connections", response={201: ConnectionOut}, summary="Create a connection")
@needs(Scope.ADMIN, rule="connection.add")
@once
def create_connection(request: ApiRequest, body: ConnectionIn) -> Any:
    """A connection over which nothing is sent yet: a person goes on with it on its `page`.

    They sign in at Constant Contact there, vouch for its exports, and consent to data privacy.
    """
    form = ConnectionForm(posted(**body.dict()))
    require_valid(form)
    made = services.begin_connection(
        request.workspace,
        name=form.cleaned_data["name"],
        sharing=form.cleaned_data["sharing"],
        shared_with=form.cleaned_data["shared_with"],
        by=request.actor,
    )
    return Status(201, connection_of(request, made.pk))


@router.patch(
    "/connections/{int:connection_id}", response=ConnectionOut, summary="Change a connection"
)
@needs(Scope.ADMIN, rule="connection.change")
def change_connection(
    request: ApiRequest, connection_id: int, body: ConnectionChange
) -> Connection:
    """Its name, and with whom it is shared.

    Exports of people with whom it is shared no longer stop; that is said first: see
    `stop_exports`.
    """
    connection = connection_of(request, connection_id)
    given = body.dict(exclude={"stop_exports"})
    values: dict[str, Any] = {
        "name": connection.name,
        "sharing": connection.sharing,
        "shared_with": ConnectionOut.resolve_shared_with(connection),
    }
    values |= {name: value for name, value in given.items() if value is not None}
    form = ConnectionForm(posted(**values), instance=connection)
    require_valid(form)
    try:
        services.change_connection(
            connection,
            name=form.cleaned_data["name"],
            sharing=form.cleaned_data["sharing"],
            shared_with=form.cleaned_data["shared_with"],
            by=request.actor,
            stop_exports=body.stop_exports,
        )
    except services.StopsExports as stops:
        stopping = [_told(one) for one in stops.stopping]
        raise Problem("refused", str(stops), stopping=stopping) from stops
    return connection_of(request, connection_id)


@router.post(
    "/connections/{int:connection_id}/check", response=Account, summary="Check a connection"
)
@needs(Scope.ADMIN, rule="connection.change")
def check_connection(request: ApiRequest, connection_id: int) -> dict[str, str]:
    """Asks Constant Contact whose account it is: 502 `provider_unavailable` if it does not say."""
    try:
        account = authorisation.check(connection_of(request, connection_id))
    except ProviderError as error:
        raise Problem("provider_unavailable", words.error_text(error)) from error
    return {"account_id": account.encoded_account_id, "account_name": account.name}


@router.post(
    "/connections/{int:connection_id}/export-user",
    response=ConnectionOut,
    summary="Become the export user",
)
@needs(Scope.ADMIN, rule="connection.change")
def become_export_user(request: ApiRequest, connection_id: int) -> Connection:
    """The member whose token this is vouches for what is sent over the connection.

    The token is their proof of who they are; a service can’t vouch.
    """
    connection = connection_of(request, connection_id)
    if request.actor is None:
        raise Problem(
            "refused",
            "A service can’t vouch for exports. Use an Administrator’s own token, or have one do it"
            f" on the connection’s page: {ConnectionOut.resolve_page(connection)}",
        )
    services.become_export_user(connection, by=request.actor)
    return connection_of(request, connection_id)


@router.post(
    "/connections/{int:connection_id}/withdraw-consent",
    response=ConnectionOut,
    summary="Withdraw consent",
)
@needs(Scope.ADMIN, rule="connection.change")
def withdraw_consent(request: ApiRequest, connection_id: int) -> Connection:
    """Nothing more is sent over the connection, from the next batch on.

    Consent is given on the connection’s page alone, where a person reads the words.
    """
    services.withdraw_consent(connection_of(request, connection_id), by=request.actor)
    return connection_of(request, connection_id)


@router.get(
    "/connections/{int:connection_id}/dependents",
    response=Page[DependentOut],
    summary="List what uses a connection",
)
@needs(Scope.READ, rule="connection.view")
def list_dependents(request: ApiRequest, connection_id: int) -> dict[str, Any]:
    """What has to be detached or removed before the connection can go. Needs an Administrator’s."""
    used_by = dependents.of(connection_of(request, connection_id))
    return {"items": [_told(one) for one in used_by], "next": None}


@router.delete(
    "/connections/{int:connection_id}", response={204: None}, summary="Remove a connection"
)
@needs(Scope.ADMIN, rule="connection.remove")
def remove_connection(request: ApiRequest, connection_id: int, asked: Query[Removal]) -> Any:
    """Removes it with its tokens. Refused, with nothing changed, while something uses it.

    `?detach=export-4&remove=export-5` says for each what becomes of it.
    """
    choices = dict.fromkeys(asked.remove, "remove") | dict.fromkeys(asked.detach, "detach")
    connection = connection_of(request, connection_id)
    services.remove_connection(connection, by=request.actor, choices=choices)
    return Status(204, None)


def _told(dependent: dependents.Dependent) -> dict[str, str]:
    page = f"{settings.BASE_URL}{dependent.url}"
    return {"key": dependent.key, "name": dependent.label, "page": page}
