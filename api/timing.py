"""Times of day and week as requests give them."""

from typing import Annotated, Literal

from ninja import Field
from pydantic import ConfigDict
from pydantic.config import JsonDict

from api.checked import posted, require_valid
from api.components import TimeZoneAsBefore
from api.schemas import Body, Clock
from workspaces.timing import Timed, Timing
from workspaces.timing_forms import TimingForm

Weekday = Annotated[int, Field(ge=1, le=7)]


# Times of its own have to be said.
OWN_NEEDS: JsonDict = {
    "if": {"properties": {"schedule": {"const": "own"}}, "required": ["schedule"]},
    "then": {
        "properties": {"days": {"minItems": 1}, "times": {"minItems": 1}},
        "required": ["days", "times"],
    },
}


class TimingIn(Body):
    model_config = ConfigDict(json_schema_extra=OWN_NEEDS)

    schedule: Literal["refresh", "own", "off"] = Field(
        description="With every refresh, at its own days and times, or never.", examples=["own"]
    )
    days: list[Weekday] = Field([], max_length=7, examples=[[1, 3, 5]])
    times: list[Clock] = Field([], max_length=12, examples=[["07:30"]])
    time_zone: TimeZoneAsBefore = Field(
        "", description="Empty: as before.", examples=["Europe/Madrid"]
    )

    def over(self, thing: Timed) -> Timing:
        """For a thing that has been timed otherwise. Raises `Problem`."""
        form = TimingForm(
            posted(
                schedule=self.schedule,
                days=self.days,
                times=self.times,
                time_zone=self.time_zone or thing.time_zone,
            )
        )
        require_valid(form)
        return form.timing(Timing.of(thing))
