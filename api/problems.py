"""Errors as `application/problem+json` (RFC 9457), each with a stable code."""

from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Code:
    """One sort of error; `advice` is what to do where the error at hand says nothing better."""

    status: int
    title: Promise
    advice: Promise


CODES: dict[str, Code] = {
    "bad_request": Code(400, _("The request can’t be read"), _("Send what the reference says.")),
    "invalid_cursor": Code(
        400,
        _("The cursor is none"),
        _("Pass `next` of the page before as it is, or begin without a cursor."),
    ),
    "unauthenticated": Code(
        401,
        _("There is no valid token"),
        _("Send `Authorization: Bearer TOKEN` with a token of Admin > API."),
    ),
    "token_expired": Code(401, _("The token has expired"), _("Make a new one under Admin > API.")),
    "token_revoked": Code(401, _("The token is revoked"), _("Make a new one under Admin > API.")),
    "address_not_allowed": Code(
        403,
        _("The token does not work from this address"),
        _("Call from an address on its list, or make a token with this one."),
    ),
    "workspace_closing": Code(
        403,
        _("The workspace is to be deleted"),
        _("Have an Administrator take that back, or stop calling."),
    ),
    "two_step_required": Code(
        403,
        _("The workspace demands two-step sign-in"),
        _("The member whose token this is sets it up under Security; then the token works again."),
    ),
    "missing_scope": Code(
        403, _("The token is not made for this"), _("Use a token with the scope that is named.")
    ),
    "forbidden": Code(
        403,
        _("The token’s role does not allow this"),
        _("Use a token of a member, or of a service, whose role does."),
    ),
    "not_found": Code(
        404,
        _("There is no such thing in this workspace"),
        _("Check the address and the id; another workspace’s things are not seen."),
    ),
    "method_not_allowed": Code(
        405, _("The method does not fit the address"), _("See the reference for those that do.")
    ),
    "refused": Code(409, _("This can’t be done now"), _("Do what the detail says.")),
    "name_taken": Code(409, _("The name is taken"), _("Choose another name.")),
    "already_running": Code(409, _("It is going on already"), _("Wait for its end, or cancel it.")),
    "request_in_progress": Code(
        409,
        _("A request with this Idempotency-Key is being answered"),
        _("Repeat it in a few seconds to get the answer."),
    ),
    "length_required": Code(
        411, _("The length is missing"), _("Send the file with a Content-Length.")
    ),
    "changed_meanwhile": Code(
        412,
        _("It has changed since it was read"),
        _("Get it anew, and repeat the change with its ETag in If-Match."),
    ),
    "too_large": Code(
        413, _("The request is too large"), _("Send less at once; a file may be packed.")
    ),
    "unsupported_media_type": Code(
        415,
        _("The content type does not fit"),
        _("Send application/json; a file as application/octet-stream or its own type."),
    ),
    "invalid_request": Code(
        422, _("The request does not fit the reference"), _("Mend what `errors` names.")
    ),
    "invalid_rules": Code(
        422, _("The rules make no sense"), _("Mend the rule that `pointer` leads to.")
    ),
    "unreadable_file": Code(
        422, _("The file can’t be read"), _("Mend the file as the detail says, and send it anew.")
    ),
    "idempotency_key_reused": Code(
        422,
        _("The Idempotency-Key belongs to another request"),
        _("Use a new key for each new request; repeat the first one unchanged."),
    ),
    "rate_limited": Code(
        429, _("Too many requests"), _("Wait as many seconds as Retry-After says.")
    ),
    "server_error": Code(
        500,
        _("Something broke here"),
        _("Repeat the request later; if it stays, tell the operator."),
    ),
    "provider_unavailable": Code(
        502,
        _("Constant Contact does not do what is needed"),
        _("Repeat the request in a minute, or do what the detail says."),
    ),
    "too_slow": Code(
        503,
        _("The answer takes too long"),
        _("Ask for less, or start a refresh or a dry run, which may take its time."),
    ),
    "unavailable": Code(
        503,
        _("A part of the system can’t be reached"),
        _("Repeat the request as Retry-After says; what was begun goes on by itself."),
    ),
    "no_room": Code(
        507, _("The server’s disk is full"), _("Ask the operator to make room, then try again.")
    ),
}
OF_STATUS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    412: "changed_meanwhile",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    503: "unavailable",
}


class Problem(Exception):
    """An answer with an error: a code of `CODES`, the case at hand, and further members."""

    def __init__(
        self, code: str, detail: str = "", *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail or code)
        self.code, self.detail, self.headers, self.more = code, detail, headers or {}, more

    def response(self) -> HttpResponse:
        known = CODES[self.code]
        body = {
            "type": f"urn:segue:problem:{self.code}",
            "title": str(known.title),
            "status": known.status,
            "code": self.code,
            "detail": self.detail or str(known.advice),
            **self.more,
        }
        return HttpResponse(
            orjson.dumps(body),
            status=known.status,
            content_type=CONTENT_TYPE,
            headers=self.headers,
        )
