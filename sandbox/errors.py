"""The provider's error bodies: arrays from its services, objects from its gateway."""

from starlette.responses import Response

from sandbox.answers import json_answer


class Refusal(Exception):
    """Ends a request with an error answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def service_error(
    status: int, key: str, message: str, headers: dict[str, str] | None = None
) -> Refusal:
    return Refusal(json_answer([{"error_key": key, "error_message": message}], status, headers))


def gateway_error(
    status: int, key: str, message: str, headers: dict[str, str] | None = None
) -> Refusal:
    body = {"error_key": key, "error_message": message}
    return Refusal(json_answer(body, status, headers))


def gateway_message(status: int, message: str) -> Refusal:
    """The shape of what the gateway has no words of its own for."""
    return Refusal(json_answer({"message": message}, status))


def oauth_error(
    status: int, error: str, description: str, headers: dict[str, str] | None = None
) -> Refusal:
    body = {"error": error, "error_description": description}
    return Refusal(json_answer(body, status, headers))


def invalid(message: str) -> Refusal:
    return service_error(400, "contacts.api.validation.error", message)


def not_found(message: str) -> Refusal:
    return service_error(404, "contacts.api.not_found", message)


def conflict(message: str) -> Refusal:
    return service_error(409, "contacts.api.conflict", message)


def unauthorized() -> Refusal:
    headers = {
        "WWW-Authenticate": "Bearer realm=api.cc.email",
        "x-amzn-ErrorType": "UnauthorizedException",
    }
    return gateway_error(401, "unauthorized", "Unauthorized", headers)


def forbidden(message: str) -> Refusal:
    return gateway_error(403, "forbidden", message)


def invalid_grant() -> Refusal:
    return oauth_error(400, "invalid_grant", "The refresh token is invalid or expired.")


def throttled(headers: dict[str, str] | None = None) -> Refusal:
    return gateway_error(429, "throttled", "Too Many Requests", headers)


def quota_exceeded(headers: dict[str, str] | None = None) -> Refusal:
    return gateway_error(429, "quota_exceeded", "Limit Exceeded", headers)


def queue_full(headers: dict[str, str] | None = None) -> Refusal:
    return gateway_error(
        429, "too_many_activities", "There are more than 1,000 queued activities.", headers
    )
