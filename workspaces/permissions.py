"""Asks the rules, for views and templates."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import rules
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from workspaces.models import Membership

View = Callable[..., HttpResponseBase]


def may(member: Membership, action: str, target: Any = None) -> bool:
    """Whether the member may do the action (`noun.action`), to the target if it needs one."""
    if not rules.rule_exists(action):
        raise KeyError(f"no rule is called {action!r}")
    return rules.test_rule(action, member, target)


def require(member: Membership, action: str, target: Any = None) -> None:
    """Raises PermissionDenied unless the member may."""
    if not may(member, action, target):
        raise PermissionDenied


def requires(action: str) -> Callable[[View], View]:
    """Lets only members who may do the action into the view; others get 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require(request.membership, action)  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        guarded.action = action  # type: ignore[attr-defined]
        return guarded

    return decorate
