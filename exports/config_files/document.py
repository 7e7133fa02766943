"""What such a file says, as data whose shape is checked; what it names is the applying's to find.

Whatever is left out has its default; a whole section left out is not looked at.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from exports.config_files.yaml_text import Path, Read
from segments.conversion import read_typed, typed

VERSION = 1
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Problem(Exception):
    """What is wrong at a place of the file; the message is for people and says what to do."""

    def __init__(self, path: Path, message: object, line: int | None = None) -> None:
        self.path, self.message, self.line = path, str(message), line
        where = ", ".join(part for part in (f"line {line}" if line else "", shown(path)) if part)
        super().__init__(f"{where}: {self.message}" if where else self.message)


def shown(path: Path) -> str:
    """A path as people read it: `segments["Near us"].rules.rules[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif IDENTIFIER.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part[:100]}"]'
    return text


def _clock(text: str) -> str:
    if not CLOCK.fullmatch(text):
        raise ValueError("write a time of day as 07:30")
    return text


def _sorted_days(days: list[str]) -> list[str]:
    return sorted(set(days), key=DAYS.index)


Name = Annotated[str, Field(min_length=1, max_length=100)]
AttributeName = Annotated[str, Field(min_length=1, max_length=255)]
Clock = Annotated[str, AfterValidator(_clock)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Days = Annotated[list[Day], AfterValidator(_sorted_days)]
Names = Annotated[list[str], AfterValidator(lambda names: sorted(set(names)))]
Times = Annotated[list[Clock], AfterValidator(lambda times: sorted(set(times)))]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Schedule(Part):
    """When the workspace refreshes."""

    enabled: bool
    days: Days = []
    times: Times = []
    every_hours: int = 0
    time_zone: str


class Timing(Part):
    """When a database is loaded or an export runs; `off` may keep its days and times."""

    runs: Literal["refresh", "own", "off"] = "refresh"
    days: Days = []
    times: Times = []
    time_zone: str = ""


class Database(Part):
    """Where a database is and what it is asked. The password is never here."""

    kind: str
    host: str = ""
    port: int = 0
    database: str = ""
    username: str = ""
    encryption: Literal["require", "verify", "off"] = "require"
    options: dict[str, str] = {}
    table_schema: str = ""
    table: str = ""
    statement: str = ""
    skip_refused: bool = False
    schedule: Timing = Timing()

    @model_validator(mode="after")
    def asks_one_thing(self) -> Self:
        if self.table and self.statement:
            raise ValueError("name a table or write a statement, not both")
        return self


class Source(Part):
    """`columns` maps each column to the attribute it fills, or to null where it is left out."""

    key: str = Field("", max_length=255)
    mode: Literal["update", "replace"] = "update"
    columns: dict[AttributeName, AttributeName | None] = {}
    database: Database | None = None


class Attribute(Part):
    """`label` is what people call it, where that is not its name."""

    type: Literal["text", "integer", "number", "date", "datetime", "boolean", "list"]
    format: str = ""
    label: str = Field("", max_length=255)

    @model_validator(mode="after")
    def has_a_form_of_its_type(self) -> Self:
        kept = read_typed(typed(self.type, self.format))
        usual = read_typed(typed(self.type, ""))
        form = kept[1] if kept else ""
        if self.format and self.format != form:
            raise ValueError("the type has no such format; docs/segment-rules.md has those it has")
        self.__dict__["format"] = "" if kept == usual else form
        return self


class Segment(Part):
    """`rules` are the API's, with segments by their names; a static one's list is not here."""

    kind: Literal["dynamic", "static"] = "dynamic"
    description: str = ""
    tags: Annotated[
        list[str], AfterValidator(lambda tags: sorted(set(tags), key=str.casefold))
    ] = []
    state: Literal["draft", "active", "inactive"] = "active"
    rules: Any = None
    listed_by: AttributeName | None = None

    @model_validator(mode="after")
    def has_rules_or_a_list(self) -> Self:
        if self.kind == "static" and self.rules is not None:
            raise ValueError("a static segment has a list, and no rules")
        if self.kind == "dynamic" and self.listed_by is not None:
            raise ValueError("only a static segment has a list")
        if self.kind == "dynamic" and self.rules is None:
            raise ValueError("give it rules")
        return self


class Destination(Part):
    """An export. Without a connection it rests."""

    connection: str | None = None
    list: str = Field("", max_length=255)
    matching: dict[str, AttributeName]
    segments: Names
    mode: Literal["mirror", "add"] = "mirror"
    removal_share: int = Field(20, ge=0, le=100)
    schedule: Timing = Timing()


class Document(Part):
    segue: Literal[1]
    schedule: Schedule | None = None
    sources: dict[Name, Source] | None = None
    attributes: dict[AttributeName, Attribute] | None = None
    segments: dict[Name, Segment] | None = None
    destinations: dict[Name, Destination] | None = None

    @model_validator(mode="after")
    def knows_labels(self) -> Self:
        for name, attribute in (self.attributes or {}).items():
            if attribute.label == name:
                attribute.label = ""
        return self


def parse(found: Read) -> Document:
    """Raises `Problem`, for the first thing whose shape is wrong."""
    if isinstance(found.data, dict) and found.data.get("segue", VERSION) != VERSION:
        raise Problem(
            ("segue",),
            f"This Segue reads files of version {VERSION}. Write “segue: {VERSION}”.",
            found.lines.get(("segue",)),
        )
    try:
        document = Document.model_validate(found.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        path = tuple(part for part in first["loc"] if part != "[key]")
        raise Problem(path, _words(first), line_of(path, found.lines)) from None
    for section in ("segments", "destinations"):
        for name in getattr(document, section) or {}:
            if name != name.strip():
                path = (section, name)
                raise Problem(
                    path, "Take the blanks around the name away.", line_of(path, found.lines)
                )
    return document


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """Of the value itself, or of the nearest around it that is in the file."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _words(error: Any) -> str:
    if error["type"] == "missing":
        return "This is missing."
    if error["type"] == "extra_forbidden":
        return "There is no such setting. Take it out, or mend its name (docs/configuration.md)."
    text = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def plain(part: Part) -> dict[str, Any]:
    """As it is written: without what has its default."""
    written: dict[str, Any] = part.model_dump(exclude_defaults=True, exclude_none=False)
    return written
