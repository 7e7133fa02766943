"""Pages with a form that leads to Constant Contact's sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from config.security_headers import policy_with_forms_to
from connections import oauth_client

View = Callable[..., HttpResponse]


def leads_to_sign_in(view: View) -> View:
    """Lets the page's forms be answered with a redirect there, which browsers else refuse."""

    @wraps(view)
    def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = policy_with_forms_to(oauth_client.origin())
        return response

    return allowed
