"""A connection's tokens: unreadable at rest, renewed once for all, never lost."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.db import connection as database
from django.db import connections, transaction
from django.utils import timezone
from django_scopes import scope

from connections import access, tokens
from connections.access import limiter
from connections.constant_contact.errors import SignInAgain, Throttled, Unavailable
from connections.models import Connection
from connections.tokens import ConnectionTokens
from tests.connections.factories import ConnectionFactory, connected
from tests.workspaces.factories import MembershipFactory
from workspaces.models import AuditEntry, Role, Workspace
from workspaces.notices import emails

COMMITTED = pytest.mark.django_db(transaction=True)
TOKEN_URL = "POST /oauth2/default/v1/token"


def token_requests(sandbox: Any) -> dict[str, int]:
    found = sandbox.control("statistics")["requests"]
    return {key.split(" ")[2]: count for key, count in found.items() if TOKEN_URL in key}


def stored(connection: Connection) -> Connection:
    return Connection.objects.get(pk=connection.pk)


def expire(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(
        token_expires_at=timezone.now() + timedelta(minutes=4)
    )


def in_threads(count: int, workspace: Workspace, work: Callable[[], Any]) -> list[Any]:
    """What the work gives in each of so many threads that begin together."""
    together = threading.Barrier(count)

    def one(_: int) -> Any:
        try:
            with scope(workspace=workspace):
                together.wait(20)
                return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_tokens_are_unreadable_in_the_database(workspace: Workspace) -> None:
    connection = ConnectionFactory(workspace=workspace)
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM connections_connection WHERE id = %s", [connection.pk])
        row = b" ".join(
            bytes(value) if isinstance(value, memoryview) else str(value).encode()
            for value in cursor.fetchone()
        )
    for token in (b"the-access-token", b"the-refresh-token"):
        assert token not in row
        assert base64.b64encode(token)[:16] not in row
    assert ConnectionTokens(connection).get() == "the-access-token"


def test_a_new_first_key_leaves_what_the_old_one_encrypted_readable(
    workspace: Workspace, settings: Any
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    new = Fernet.generate_key().decode()
    settings.TOKEN_ENCRYPTION_KEYS = [new, *settings.TOKEN_ENCRYPTION_KEYS]
    assert ConnectionTokens(connection).get() == "the-access-token"


@COMMITTED
def test_a_refresh_makes_the_old_key_dispensable(
    workspace: Workspace, sandbox: Any, settings: Any
) -> None:
    sandbox.control("configure", rotating=False)
    connection = connected(workspace, sandbox)
    new = Fernet.generate_key().decode()
    settings.TOKEN_ENCRYPTION_KEYS = [new, *settings.TOKEN_ENCRYPTION_KEYS]
    expire(connection)
    renewed = ConnectionTokens(connection).get()
    settings.TOKEN_ENCRYPTION_KEYS = [new]
    assert ConnectionTokens(connection).get() == renewed
    assert tokens.decrypt(stored(connection).refresh_token)


def test_without_its_key_a_token_asks_for_sign_in_and_says_why(
    workspace: Workspace, settings: Any
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SignInAgain, match="TOKEN_ENCRYPTION_KEYS"):
        ConnectionTokens(connection).get()
    assert stored(connection).state == Connection.State.ACTIVE


@pytest.mark.parametrize(
    ("said", "life"),
    [
        (86_400, timedelta(hours=24)),
        ("28800", timedelta(hours=8)),
        (28_800.5, timedelta(hours=8)),
        (lambda: int(datetime.now(UTC).timestamp()) + 86_400, timedelta(hours=24)),
        (None, timedelta(hours=8)),
        ("soon", timedelta(hours=8)),
        (-5, timedelta(hours=8)),
        (10**15, timedelta(hours=8)),
    ],
    ids=["seconds", "text", "fraction", "epoch", "nothing", "words", "negative", "absurd"],
)
def test_the_life_of_a_token_is_read_as_seconds_or_as_a_time(
    workspace: Workspace, said: Any, life: timedelta
) -> None:
    expires_in = said() if callable(said) else said
    answer = {"access_token": "a", "refresh_token": "r", "expires_in": expires_in}
    connection = ConnectionFactory(workspace=workspace, answer=answer)
    expected = timezone.now() + life
    assert abs(connection.token_expires_at - expected) < timedelta(minutes=10)


@COMMITTED
def test_a_token_is_renewed_before_it_expires(workspace: Workspace, sandbox: Any) -> None:
    connection = connected(workspace, sandbox)
    before = ConnectionTokens(connection).get()
    assert token_requests(sandbox) == {}
    expire(connection)
    renewed = ConnectionTokens(connection).get()
    assert renewed != before
    assert ConnectionTokens(connection).get() == renewed
    assert token_requests(sandbox) == {"200": 1}
    kept = stored(connection)
    assert kept.token_expires_at - timezone.now() > timedelta(hours=23)
    assert timezone.now() - kept.token_refreshed_at < timedelta(minutes=1)


@COMMITTED
def test_a_token_that_is_refused_is_renewed_and_the_request_made_again(
    workspace: Workspace, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox)
    sandbox.control("expire_tokens")
    assert access.client(connection).account_summary().name == "Harbour Books"
    assert token_requests(sandbox) == {"200": 1}


@COMMITTED
@pytest.mark.parametrize("cause", ["refused", "about to expire"])
def test_eight_workers_at_once_renew_a_token_once(
    workspace: Workspace, sandbox: Any, cause: str
) -> None:
    connection = connected(workspace, sandbox)
    if cause == "refused":
        sandbox.control("expire_tokens")
    else:
        expire(connection)

    def work() -> str:
        return access.client(connection).account_summary().name

    assert in_threads(8, workspace, work) == ["Harbour Books"] * 8
    assert token_requests(sandbox) == {"200": 1}


@COMMITTED
@pytest.mark.parametrize("rotating", [True, False])
def test_both_kinds_of_refresh_tokens_last_over_many_refreshes(
    workspace: Workspace, sandbox: Any, rotating: bool
) -> None:
    sandbox.control("configure", rotating=rotating)
    connection = connected(workspace, sandbox)
    first = tokens.decrypt(stored(connection).refresh_token)
    for _ in range(2):
        sandbox.control("expire_tokens")
        assert access.client(connection).account_summary().name == "Harbour Books"
    assert (tokens.decrypt(stored(connection).refresh_token) != first) == rotating


@COMMITTED
def test_a_pair_stays_kept_when_the_caller_rolls_back(workspace: Workspace, sandbox: Any) -> None:
    connection = connected(workspace, sandbox)
    sandbox.control("expire_tokens")
    with transaction.atomic():
        assert access.client(connection).account_summary()
        transaction.set_rollback(True)
    sandbox.control("expire_tokens")
    assert access.client(connection).account_summary().name == "Harbour Books"
    assert stored(connection).state == Connection.State.ACTIVE


@COMMITTED
def test_a_dead_grant_needs_sign_in_and_tells_each_administrator_once(
    workspace: Workspace, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox, name="Newsletter\naccount")
    second = MembershipFactory(workspace=workspace)
    MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)
    MembershipFactory(role=Role.ADMINISTRATOR)
    sandbox.control("revoke")

    def work() -> str:
        with pytest.raises(SignInAgain) as refused:
            access.client_of(connection).account_summary()
        return refused.value.advice

    assert in_threads(4, workspace, work) == ["sign_in"] * 4
    assert work() == "sign_in"
    assert token_requests(sandbox) == {"400": 1}
    assert stored(connection).state == Connection.State.NEEDS_SIGN_IN
    assert "no longer accepts" in str(stored(connection).state_reason)
    emails.send_due()
    emails.send_due()
    told = sorted(message.to[0] for message in mail.outbox)
    assert told == sorted([connection.export_user.email, second.user.email])
    assert "“Newsletter account” needs sign-in" in mail.outbox[0].subject
    assert f"/w/{workspace.slug}/admin/connections/{connection.pk}/" in mail.outbox[0].body
    assert AuditEntry.objects.filter(action="connection.needs_sign_in").count() == 1
    with pytest.raises(access.NotUsable) as unusable:
        access.client(connection)
    assert unusable.value.code == "needs_sign_in"


@COMMITTED
def test_a_mail_server_that_fails_changes_nothing_of_it(
    workspace: Workspace, sandbox: Any, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    connection = connected(workspace, sandbox)
    sandbox.control("revoke")
    with pytest.raises(SignInAgain):
        access.client(connection).account_summary()
    assert emails.send_due() == 0
    assert stored(connection).state == Connection.State.NEEDS_SIGN_IN


@COMMITTED
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttled"},
        {"kind": "server_error", "status": 503},
        {"kind": "html_error"},
        {"kind": "cut_before"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_fault_of_the_token_endpoint_never_costs_the_grant(
    workspace: Workspace, sandbox: Any, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections.limiter.TOKEN_REQUESTS_PER_SECOND", 100)
    connection = connected(workspace, sandbox)
    sandbox.control("expire_tokens")
    sandbox.control("fault", route="/v1/token", **fault)
    with pytest.raises(Unavailable) as unavailable:
        access.client(connection).account_summary()
    assert (unavailable.value.advice, unavailable.value.retry_after) == ("retry", 30)
    assert stored(connection).state == Connection.State.ACTIVE
    assert mail.outbox == []
    sandbox.control("clear_faults")
    assert access.client(connection).account_summary().name == "Harbour Books"


@COMMITTED
def test_a_token_endpoint_that_is_busy_is_asked_again(workspace: Workspace, sandbox: Any) -> None:
    connection = connected(workspace, sandbox)
    sandbox.control("expire_tokens")
    sandbox.control("fault", kind="throttled", route="/v1/token", count=1)
    assert access.client(connection).account_summary().name == "Harbour Books"


@COMMITTED
def test_a_token_endpoint_that_says_how_long_is_left_alone_by_every_worker(
    workspace: Workspace, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox)
    sandbox.control("expire_tokens")
    sandbox.control("fault", kind="throttled", route="/v1/token", count=1, retry_after=90)

    def work() -> float:
        with pytest.raises((Unavailable, Throttled)) as busy:
            access.client(connection).account_summary()
        return float(busy.value.retry_after or 0)

    assert all(80 < seconds <= 90 for seconds in in_threads(4, workspace, work))
    assert token_requests(sandbox) == {"429": 1}
    limiter().storage.server.flushdb()  # as ninety seconds do
    assert access.client(connection).account_summary().name == "Harbour Books"


@COMMITTED
def test_many_connections_at_once_are_renewed_within_the_token_endpoints_limit(
    workspace: Workspace, sandbox: Any
) -> None:
    sandbox.control("configure", token_rate=1, rotating=False)
    several = [connected(workspace, sandbox) for _ in range(3)]
    sandbox.control("expire_tokens")
    waiting = iter(several)
    lock = threading.Lock()

    def work() -> str:
        with lock:
            mine = next(waiting)
        return access.client(mine).account_summary().name

    assert in_threads(3, workspace, work) == ["Harbour Books"] * 3
    assert token_requests(sandbox)["200"] == 3


@COMMITTED
def test_a_wrong_client_secret_does_not_cost_the_grant(
    workspace: Workspace, sandbox: Any, settings: Any
) -> None:
    connection = connected(workspace, sandbox)
    sandbox.control("expire_tokens")
    settings.CONSTANT_CONTACT_CLIENT_SECRET = "another"
    with pytest.raises(Unavailable, match="operator"):
        access.client(connection).account_summary()
    assert stored(connection).state == Connection.State.ACTIVE


@COMMITTED
def test_a_refresh_does_not_wait_for_ever_for_another(
    workspace: Workspace, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "LOCK_TIMEOUT", "200ms")
    connection = connected(workspace, sandbox)
    expire(connection)
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        with pytest.raises(Unavailable):
            ConnectionTokens(connection).get()
    assert ConnectionTokens(connection).get()


def test_no_representation_shows_a_token(workspace: Workspace) -> None:
    connection = ConnectionFactory(workspace=workspace)
    provider = ConnectionTokens(connection)
    provider.get()
    client = access.client(connection)
    for shown in (repr(connection), repr(provider), repr(client), repr(vars(provider))):
        assert "the-access-token" not in shown
        assert "the-refresh-token" not in shown
