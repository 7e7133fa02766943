"""The stages of what takes time, as `components/stages.html` shows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.utils.functional import Promise

StageState = Literal["done", "now", "ahead", "stopped"]


@dataclass(frozen=True)
class Stage:
    label: Promise | str
    state: StageState
    began_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def took(self) -> timedelta | None:
        return self.ended_at - self.began_at if self.began_at and self.ended_at else None
