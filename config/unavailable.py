"""When PostgreSQL or Redis can't be reached, or takes no more: an answer that says so.

Nothing that was begun is lost by it: what is on record is taken up by the sweepers, and what is not
on record has been rolled back.
"""

import sys

import redis
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.views.defaults import server_error
from kombu.exceptions import OperationalError as BrokerError

from api.problems import Problem

RETRY_SECONDS = 15
# PostgreSQL's: full disk, no memory, too many connections; shut down, crashed, starting.
PASSING = {"53100", "53200", "53300", "57P01", "57P02", "57P03"}


def answer(request: HttpRequest) -> HttpResponse:
    """Of the exception that is being handled: 503 if it passes by itself, else 500."""
    if not passes(sys.exc_info()[1]):
        return server_error(request)
    if request.path_info.startswith("/api/"):
        response = Problem("unavailable").response()
    else:
        # Without a request: whatever a page shows of it would be asked of the database.
        response = HttpResponse(get_template("503.html").render(), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def passes(problem: BaseException | None) -> bool:
    """Whether it is for want of a service, and over when that is back."""
    if isinstance(problem, OperationalError):
        # One that never got through to the server has no code.
        code = getattr(problem.__cause__, "pgcode", None)
        return code is None or code in PASSING
    if isinstance(problem, redis.ResponseError):
        return isinstance(problem, redis.exceptions.OutOfMemoryError)
    return isinstance(problem, InterfaceError | redis.RedisError | BrokerError)
