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
        self.turns: deque[float] = deque()
        self.token_turns: deque[float] = deque()
        self.day = ""
        self.today = 0

    def take_turn(self) -> None:
        """Counts a request of the API key; refuses it above a limit."""
        now = time.monotonic()
        while self.turns and now - self.turns[0] >= 1:
            self.turns.popleft()
        if len(self.turns) >= self.configuration.rate_per_second:
            raise throttled()
        self.turns.append(now)
        self.state.most_in_a_second = max(self.state.most_in_a_second, len(self.turns))
        day = time.strftime("%Y-%m-%d", time.gmtime(self.state.now()))
        if day != self.day:
            self.day, self.today = day, 0
        if self.today >= self.configuration.rate_per_day:
            raise quota_exceeded()
        self.today += 1

    def take_token_turn(self) -> None:
        now = time.monotonic()
        while self.token_turns and now - self.token_turns[0] >= 1:
            self.token_turns.popleft()
        if len(self.token_turns) >= self.configuration.token_rate:
            raise throttled()
        self.token_turns.append(now)
