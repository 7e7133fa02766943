"""The provider's limits: requests in any one second, requests a UTC day, the token endpoint's."""

import time
from collections import deque

from sandbox.configuration import Configuration
from sandbox.errors import quota_exceeded, throttled
from sandbox.state import State

MAX_QUEUED_ACTIVITIES = 1_000


class Limits:
    def __init__(self, configuration: Configuration, state: State) -> None:
        self.configuration = configuration
        self.state = state
        self.forget()

    def forget(self) -> None:
        self.arrivals: deque[float] = deque()
        self.taken: deque[float] = deque()
        self.token_turns: deque[float] = deque()

    def take_turn(self) -> None:
        """Counts a request of the API key; refuses it above a limit."""
        now = time.monotonic()
        self.arrivals.append(now)
        seen = _within_a_second(self.arrivals, now)
        self.state.most_in_a_second = max(self.state.most_in_a_second, seen)
        if _within_a_second(self.taken, now) >= self.configuration.rate_per_second:
            raise throttled()
        self.taken.append(now)
        day = time.strftime("%Y-%m-%d", time.gmtime(self.state.now()))
        if day != self.state.day:
            self.state.day, self.state.today = day, 0
        if self.state.today >= self.configuration.rate_per_day:
            raise quota_exceeded()
        self.state.today += 1

    def take_token_turn(self) -> None:
        now = time.monotonic()
        if _within_a_second(self.token_turns, now) >= self.configuration.token_rate:
            raise throttled()
        self.token_turns.append(now)


def _within_a_second(turns: deque[float], now: float) -> int:
    """How many of the turns are less than a second old; forgets the others."""
    while turns and now - turns[0] >= 1:
        turns.popleft()
    return len(turns)
