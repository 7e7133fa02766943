"""Connections: seen, without a secret; they are made and authorised on the screens alone."""

from datetime import datetime
from typing import Any

from django.http import Http404
from ninja import Field, Router, Schema

from api.choices import ConnectionSharing, ConnectionState
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.schemas import Page
from connections.models import Connection
from connections.selectors import all_connections, standing_consent, usable_by
from exports import lists
from workspaces.permissions import may, require

router = Router()


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
    authorised_at: datetime | None

    @staticmethod
    def resolve_has_consent(connection: Connection) -> bool:
        return standing_consent(connection) is not None

    @staticmethod
    def resolve_has_export_user(connection: Connection) -> bool:
        return connection.export_user_id is not None


class ListOut(Schema):
    id: str = Field(examples=["11111111-2222-3333-4444-555555555555"])
    name: str = Field(examples=["Newsletter"])
    members: int | None = Field(examples=[1990])


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


@router.get(
    "/connections/{int:connection_id}/lists",
    response=Page[ListOut],
    summary="List an account’s lists",
)
@needs(Scope.READ, rule="destination.create")
def list_lists(request: ApiRequest, connection_id: int) -> dict[str, Any]:
    """The account’s lists, as Constant Contact told them at most a minute ago."""
    connection = connection_of(request, connection_id)
    require(request.membership, "connection.use", connection)
    return {"items": lists.lists_of(connection), "next": None}
