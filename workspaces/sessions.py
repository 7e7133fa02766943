"""The browsers in which a person is signed in: when each was last seen, what it calls itself."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.forms import ManageUserSessionsForm
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

NOTED_EVERY = 300

# What contains another's name comes before it.
BROWSERS = [
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
]
SYSTEMS = [
    (r"iPhone|iPad|iPod", "iOS"),
    (r"Android", "Android"),
    (r"Windows", "Windows"),
    (r"CrOS", "ChromeOS"),
    (r"Mac OS X|Macintosh", "macOS"),
    (r"Linux|X11", "Linux"),
]


def browser_name(user_agent: str) -> str:
    """What people call the browser and its system, as well as it can be told."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def _first(known: list[tuple[str, str]], user_agent: str) -> str:
    return next((name for pattern, name in known if re.search(pattern, user_agent)), "")


class SessionsMiddleware:
    """Notes where a session was last seen, and when: to five minutes, to spare the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated:
            place = hashlib.sha256(f"seen:{key}".encode()).hexdigest()
            if self._is_to_be_noted(f"seen:{place}"):
                UserSession.objects.create_from_request(request)
        return self.get_response(request)

    @staticmethod
    def _is_to_be_noted(place: str) -> bool:
        """Not while Redis is gone: pages are more than this list."""
        try:
            return bool(cache.add(place, 1, NOTED_EVERY))
        except RedisError:
            return False


class EndSessionsForm(ManageUserSessionsForm):
    """Ends the session named, or all but this one."""

    session = forms.IntegerField(required=False)

    def save(self, request: HttpRequest) -> None:
        if pk := self.cleaned_data["session"]:
            end_sessions(request, UserSession.objects.filter(user=request.user, pk=pk))
        else:
            super().save(request)


def end_those_of_one_step(request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    """With the first second step, sessions begun without one end; the one at hand goes on."""
    second_steps = Authenticator.objects.filter(user=user).exclude(
        type=Authenticator.Type.RECOVERY_CODES
    )
    if second_steps.count() == 1:
        for session in UserSession.objects.filter(user=user).exclude(
            session_key=request.session.session_key
        ):
            session.end()
