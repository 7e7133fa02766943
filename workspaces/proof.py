"""Proof that it is really the person: asked for anew before what could do harm.

Whoever has to prove it leaves the page for that. What they had sent by then waits, encrypted, and
is done when they come back to the address that carries its key; nobody else can have it done.
"""

import json
import secrets
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse

from config import cipher
from workspaces.redirects import leave

WAITING = "waiting"
SECONDS = 900
# What is sent to be typed anew: no form of these pages holds more.
MOST_BYTES = 64 * 1024


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person has signed in, or proved who they are since, not long ago."""
    records = get_authentication_records(request, request.user)
    if not records:
        return False
    return time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def proven(view: Any = None, *, unless: Callable[[HttpRequest], bool] | None = None) -> Any:
    """Lets in whoever has proved not long ago who they are; others prove it first.

    It belongs around `require_POST`: what had to wait comes back by GET. Requests of which
    `unless` is true need no proof.
    """
    if view is None:
        return partial(proven, unless=unless)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if unless and WAITING not in request.GET and unless(request):
            return view(request, *args, **kwargs)
        if not is_fresh(request):
            return HttpResponseRedirect(_where_to_prove(request))
        sent = _taken_up(request)
        if sent is None:
            return view(request, *args, **kwargs)
        request.method, request.POST = "POST", sent  # type: ignore[assignment]
        return leave(request, view(request, *args, **kwargs))

    return guarded


def _where_to_prove(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop(WAITING, None)
    if request.method == "POST" and (key := _put_aside(request)):
        query[WAITING] = key
    back = f"{request.path}?{query.urlencode()}" if query else request.path
    methods = get_adapter().get_reauthentication_methods(request.user)
    if methods:
        return f"{methods[0]['url']}?{urlencode({'next': back})}"
    account = SocialAccount.objects.filter(user=request.user).order_by("-last_login").first()
    if account is None:
        return reverse("account_set_password")
    issuer = reverse("openid_connect_login", args=[account.provider])
    return f"{issuer}?{urlencode({'next': back, 'auth_params': 'prompt=login'})}"


def _put_aside(request: HttpRequest) -> str:
    body = request.POST.urlencode()
    if len(body) > MOST_BYTES:
        return ""
    key = secrets.token_urlsafe(24)
    what = json.dumps([request.user.pk, request.path, body])
    cache.set(_place(key), cipher.encrypt(what), SECONDS)
    return key


def _taken_up(request: HttpRequest) -> QueryDict | None:
    """What this person sent to this address before the proof; once."""
    key = request.GET.get(WAITING, "")
    if request.method != "GET" or not key:
        return None
    kept = cache.get(_place(key))
    if kept is None:
        return None
    person, path, body = json.loads(cipher.decrypt(kept))
    if (person, path) != (request.user.pk, request.path):
        return None
    return QueryDict(body) if cache.delete(_place(key)) else None


def _place(key: str) -> str:
    return f"proof:{key}"
