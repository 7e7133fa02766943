"""Who rules find: looked up while they are edited."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from psycopg2.errors import QueryCanceled

from config.database_roles import WORK_ROLE
from segments import membership_sql as sql
from segments import population, sampling
from segments.membership import condition_of
from segments.models import Profile
from workspaces.models import Workspace

SECONDS = 10
SAMPLE = 10
PAGE = re.compile(r"[0-9a-f]{8,32}", re.ASCII)


class TooSlow(Exception):
    """The look took too long, or a newer one took its place; a refresh may take longer."""


@dataclass(frozen=True)
class Look:
    """Who the rules find now: how many, of how many, and some of them.

    With a `margin` the count is about so many, as `sampling.Estimate` says; nobody found then
    means fewer than the margin.
    """

    count: int
    of: int
    sample: list[Profile]
    margin: int = 0


def glance(workspace: Workspace, tree: Any, page: str = "") -> Look:
    """As `look`; in a large workspace only about, and in a moment."""
    condition, parameters = condition_of(workspace, tree, timezone.now())
    with bounded(page) as cursor:
        of = population.size(workspace.pk)
        if of > sampling.ALL_UP_TO:
            about = sampling.estimate(cursor, workspace, of, condition, parameters, SAMPLE)
            return Look(about.count, of, _profiles(about.ids), about.margin)
    return look(workspace, tree, page)


def look(workspace: Workspace, tree: Any, page: str = "") -> Look:
    """Who the rules find now. Raises `RuleError`, or `TooSlow`.

    `page` is the browser's page that asks, as `asking` names it: an older look of it, if still
    under way, is ended.
    """
    condition, parameters = condition_of(workspace, tree, timezone.now())
    with bounded(page) as cursor:
        total = population.size(workspace.pk)
        cursor.execute(sql.COUNT_AND_SAMPLE.format(condition=condition), parameters)
        parts = cursor.fetchall()
        count = sum(size for size, _pk in parts)
        sample = sorted(pk for _size, pk in parts)[:SAMPLE]
        if len(sample) < min(count, SAMPLE):
            cursor.execute(sql.SAMPLE.format(condition=condition), {**parameters, "size": SAMPLE})
            sample = [pk for (pk,) in cursor.fetchall()]
    return Look(count, total, _profiles(sample))


def asking(page: str) -> str:
    """A browser's page (8 to 32 hexadecimal digits) that asks now; called as soon as it does.

    By the moment the older of two looks is known, whichever gets to the database first.
    """
    return f"{page} {time.time():017.6f}" if PAGE.fullmatch(page) else ""


def _profiles(ids: list[int]) -> list[Profile]:
    return list(Profile.objects.filter(pk__in=ids).order_by("key"))


@contextmanager
def bounded(page: str = "") -> Iterator[CursorWrapper]:
    """A transaction that reads, for some seconds at most. Raises `TooSlow`."""
    name = f"segue look {page}" if page else ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{SECONDS}s'; SET LOCAL jit = off")
            if name:
                # Only who signed in as the same may end a session's statement.
                cursor.execute("SET LOCAL ROLE NONE")
                older = {"name": name, "of_the_page": name[: name.rindex(" ") + 1]}
                cursor.execute(sql.CANCEL_OLDER_LOOK, older)
                cursor.execute(f"SET LOCAL ROLE {WORK_ROLE}")
                cursor.execute("SELECT set_config('application_name', %s, true)", [name])
            yield cursor
    except OperationalError as stopped:
        if isinstance(stopped.__cause__, QueryCanceled):
            raise TooSlow from stopped
        raise
