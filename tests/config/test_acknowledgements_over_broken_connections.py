"""A worker goes on taking tasks though its connection to Redis broke under an acknowledgement."""

from typing import Any

import pytest
import redis
from django.conf import settings
from kombu import Connection

from config.celery import app


@pytest.fixture
def others() -> set[str]:
    """The connections there are without the queue's: of tests beside this one, and of its pool."""
    return {client["id"] for client in broker().client_list(_type="normal")}


@pytest.fixture
def queue(others: set[str]) -> Any:
    with Connection(app.conf.broker_url, transport_options={"visibility_timeout": 60}) as made:
        queue = made.SimpleQueue("broken-acks")
        queue.channel.basic_qos(0, 1, False)
        yield queue
        queue.close()


def broker() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL)


def break_connections(others: set[str]) -> None:
    own = broker()
    database = str(own.connection_pool.connection_kwargs.get("db", 0))
    for client in own.client_list(_type="normal"):
        if client["db"] == database and client["id"] not in others:
            own.client_kill_filter(_id=client["id"], skipme=True)


def test_an_acknowledgement_is_made_again_on_another_connection(
    queue: Any, others: set[str]
) -> None:
    queue.put({"n": 1})
    message = queue.get(timeout=5)
    assert not queue.channel.qos.can_consume()
    break_connections(others)
    message.ack()
    assert queue.channel.qos.can_consume()
    assert broker().hlen("unacked") == 0


def test_a_task_that_can_not_be_acknowledged_leaves_its_place(queue: Any, monkeypatch: Any) -> None:
    queue.put({"n": 1})
    message = queue.get(timeout=5)

    def broken(delivery_tag: str) -> Any:
        raise redis.exceptions.ConnectionError("out of reach")

    monkeypatch.setattr(queue.channel.qos, "_remove_from_indices", broken)
    with pytest.raises(redis.exceptions.ConnectionError):
        message.ack()
    assert queue.channel.qos.can_consume()
