"""What kombu's Redis transport leaves undone when a connection breaks under an acknowledgement."""

from typing import Any

from kombu.transport import redis
from kombu.transport.virtual import QoS
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class LastingQoS(redis.QoS):
    """An acknowledgement whose connection broke is made again, on another one.

    If that fails too, the task may come a second time, which ours bear; but its place among those
    that a worker may have at once is free again. Without that the worker would wait for a task that
    it has long done, and take no other one.
    """

    _remove_from_indices: Any

    def ack(self, delivery_tag: str) -> None:
        try:
            self._remove_from_indices(delivery_tag).execute()
        except (RedisConnectionError, RedisTimeoutError, OSError):
            self._remove_from_indices(delivery_tag).execute()
        finally:
            QoS.ack(self, delivery_tag)


def install() -> None:
    redis.Channel.QoS = LastingQoS
