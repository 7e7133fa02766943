"""The account and what its user may do."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, grant_of, user_of
from sandbox.answers import json_answer
from sandbox.bodies import choices_of
from sandbox.paging import query_of
from sandbox.state import ALL_PRIVILEGES

EXTRAS = {
    "physical_address": {
        "address_line1": "1 Harbour Street",
        "city": "Salem",
        "state_code": "MA",
        "postal_code": "01970",
        "country_code": "US",
    },
    "company_logo": {"url": "", "external_url": "", "internal_id": ""},
}
# Ids of privileges start somewhere, as at the provider.
FIRST_PRIVILEGE = 30


async def summary(request: Request) -> Response:
    account = account_of(request, "account_read", "account:read")
    extras = choices_of(query_of(request), "extra_fields", set(EXTRAS))
    owner = account.owner
    return json_answer(
        {
            "encoded_account_id": account.account_id,
            "organization_name": account.organization,
            "organization_phone": "555-0100",
            "contact_email": owner.email,
            "contact_phone": "555-0101",
            "first_name": owner.first_name,
            "last_name": owner.last_name,
            "country_code": "US",
            "state_code": "MA",
            "time_zone_id": "US/Eastern",
            "website": f"https://{owner.email.partition('@')[2]}",
            **{name: EXTRAS[name] for name in sorted(extras)},
        }
    )


async def privileges(request: Request) -> Response:
    """Needs no scope and no privilege: it is how a client finds out why it got a 403."""
    grant = grant_of(request)
    account = request.app.state.sandbox.accounts[grant.account_id]
    held = user_of(account, grant).privileges
    return json_answer(
        [
            {"privilege_id": number, "privilege_name": name}
            for number, name in enumerate(ALL_PRIVILEGES, FIRST_PRIVILEGE)
            if name in held
        ]
    )


routes = [
    Route("/account/summary", summary),
    Route("/account/user/privileges", privileges),
]
