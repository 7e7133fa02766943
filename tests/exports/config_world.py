"""Configurations for tests: one with everything in it, and any that Hypothesis thinks of."""

from typing import Any

from hypothesis import strategies as st

from exports.config_files import applying, document, yaml_text
from exports.config_files.current import document_of
from exports.config_files.differences import Change
from segments.conversion import FORMS
from segments.operators import fitting

EVERYTHING = """
segue: 1
schedule: {enabled: true, days: [mon, fri], times: ["06:00"], time_zone: Europe/Madrid}
sources:
  Web shop:
    key: Customer ID
    mode: replace
    columns: {Customer ID: id, E-mail: email, First: first, Joined on: joined, Notes: null}
  Warehouse:
    key: id
    columns: {id: null, pts: points, towns: towns}
    database:
      kind: postgresql
      host: db.example.com
      port: 5432
      database: shop
      username: reader
      encryption: verify
      table_schema: crm
      table: customers
      schedule: {runs: own, days: [mon], times: ["04:30"], time_zone: Europe/Madrid}
attributes:
  id: {type: text}
  email: {type: text, label: E-mail}
  first: {type: text}
  joined: {type: date, format: "%d/%m/%Y"}
  points: {type: number}
  towns: {type: list, format: "|"}
segments:
  Recent:
    description: Who joined lately
    tags: [newsletter, Barcelona]
    rules:
      match: all
      rules:
        - {attribute: joined, operator: in_last, value: 6, unit: months}
        - {attribute: joined, operator: on, value: 2026-12-31}
        - match: none
          rules:
            - {segment: VIPs, operator: member}
            - {attribute: towns, operator: contains_any_of, value: [Girona, "no", "07:30"]}
  Resting:
    state: inactive
    rules: {match: any, rules: [{segment: Recent, operator: not_member}]}
  VIPs: {kind: static, listed_by: email}
  Unfinished: {state: draft, rules: {match: all, rules: [{attribute: nobody knows}]}}
destinations:
  Newsletter:
    connection: Newsletter account
    list: Newsletter
    matching: {email: email, first_name: first}
    segments: [Recent, VIPs]
    removal_share: 5
    schedule: {runs: "off", days: [sun], times: ["23:59"], time_zone: Asia/Tokyo}
"""


def parsed(text: str | bytes) -> document.Document:
    content = text if isinstance(text, bytes) else text.encode()
    return document.parse(yaml_text.read(content))


def exported(workspace: Any) -> str:
    return yaml_text.write(document.plain(document_of(workspace)))


def apply(workspace: Any, text: str, *, removes: bool = False) -> list[Change]:
    return applying.apply(workspace, parsed(text), removes=removes, by=None)


def made(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.action != "leave"]


# Whatever PostgreSQL's text and a name can hold; and what YAML takes for something else.
_tricky = [
    "on",
    "no",
    "null",
    "~",
    "1e3",
    "0x1F",
    "07:30",
    "2026-01-01",
    "- a",
    "a: b",
    "# c",
    "=",
    "<<",
    "'",
    '"',
    "a\nb",
    "é",
    "🦀",
    "{x}",
    "*a",
    "&a",
    "!a",
    "%",
    "  two",
    "1_000",
    ".5",
]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1f"), max_size=30)
texts |= st.sampled_from(_tricky)
names = texts.map(lambda text: text.strip()[:40]).filter(bool)
zones = st.sampled_from(["UTC", "Europe/Madrid", "Asia/Tokyo"])
days = st.sets(st.sampled_from(document.DAYS), min_size=1).map(sorted)
times = st.sets(st.times().map(lambda at: f"{at:%H:%M}"), min_size=1, max_size=3).map(sorted)


def _maps(keys: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(keys, max_size=most, unique_by=str.casefold)


@st.composite
def timings(draw: Any) -> dict[str, Any]:
    runs = draw(st.sampled_from(["refresh", "own", "off"]))
    if runs == "refresh" or (runs == "off" and draw(st.booleans())):
        return {"runs": runs}
    return {"runs": runs, "days": draw(days), "times": draw(times), "time_zone": draw(zones)}


def _value(kind: str, needs: str, draw: Any) -> dict[str, Any]:
    filled = texts.filter(lambda text: text.strip())
    one = {
        "text": filled,
        "list": filled,
        "number": st.decimals(-(10**6), 10**6, places=3).map(str)
        | st.integers()
        | st.integers(-(10**9), 10**9).map(lambda thousandths: thousandths / 1000),
        "integer": st.integers(-(2**60), 2**60),
        "date": st.dates().map(str).filter(lambda day: day >= "1000" and day < "9000"),
        "datetime": st.dates().map(str).filter(lambda day: day >= "1000" and day < "9000"),
    }.get(kind, filled)
    if needs == "nothing":
        return {}
    if needs == "span":
        return {"value": draw(st.integers(0, 99)), "unit": draw(st.sampled_from(["days", "years"]))}
    if needs in ("days", "month"):
        return {"value": draw(st.integers(1, 12))}
    if needs == "period":
        return {"value": draw(st.sampled_from(["week", "year"]))}
    if needs == "many":
        return {"value": draw(st.lists(one, min_size=1, max_size=3))}
    if needs == "two":
        pair = draw(st.tuples(one, one))
        return {"value": sorted(pair, key=lambda each: float(each) if kind[0] in "ni" else each)}
    return {"value": draw(one)}


@st.composite
def rules(draw: Any, types: dict[str, str], others: list[str], depth: int = 0) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 3))):
        if others and draw(st.integers(0, 3)) == 0:
            found.append({"segment": draw(st.sampled_from(others)), "operator": "member"})
        elif depth < 2 and draw(st.integers(0, 4)) == 0:
            found.append(draw(rules(types, others, depth + 1)))
        else:
            name = draw(st.sampled_from(sorted(types)))
            operator = draw(st.sampled_from(fitting(types[name])))
            value = _value(types[name], operator.needs, draw)
            found.append({"attribute": name, "operator": operator.name, **value})
    return {"match": draw(st.sampled_from(["all", "any", "none"])), "rules": found}


@st.composite
def configurations(draw: Any, connection: str, contact_list: str) -> dict[str, Any]:
    """Any configuration that makes sense."""
    kinds = st.sampled_from(["text", "integer", "number", "date", "datetime", "boolean", "list"])
    types = {name: draw(kinds) for name in draw(_maps(names, 5))} | {"mail": "text"}
    attributes = {
        name: {"type": kind, "format": draw(st.sampled_from(["", *FORMS.get(kind, ())]))}
        | ({"label": draw(names)} if draw(st.booleans()) else {})
        for name, kind in types.items()
    }
    free = sorted(types)
    sources: dict[str, Any] = {}
    for name in draw(_maps(names, 2)):
        columns: dict[str, str | None] = {}
        for column in draw(_maps(names, 3)):
            columns[column] = free.pop() if free and draw(st.booleans()) else None
        sources[name] = {"key": draw(texts), "columns": columns}
        if draw(st.booleans()):
            sources[name]["database"] = {
                "kind": "mysql",
                "host": "db.example.com",
                "database": draw(names),
                "username": draw(names),
                "statement": draw(texts),
                "schedule": draw(timings()),
            }
        else:
            sources[name]["mode"] = draw(st.sampled_from(["update", "replace"]))
    segments: dict[str, Any] = {}
    for name in draw(_maps(names, 4)):
        finished = [other for other, one in segments.items() if one.get("state") != "draft"]
        segments[name] = {
            "description": draw(texts),
            "tags": draw(st.lists(names.filter(lambda tag: len(tag) < 20), max_size=2)),
            "state": draw(st.sampled_from(["active", "inactive", "draft"])),
            "rules": draw(rules(types, finished)),
        }
    usable = [name for name, one in segments.items() if one["state"] != "draft"]
    destinations: dict[str, Any] = {}
    for name in draw(_maps(names, 2)) if usable else []:
        destinations[name] = {
            "connection": draw(st.sampled_from([None, connection])),
            "list": contact_list,
            "matching": {"email": "mail"},
            "segments": draw(st.lists(st.sampled_from(usable), min_size=1, unique=True)),
            "mode": draw(st.sampled_from(["mirror", "add"])),
            "removal_share": draw(st.integers(0, 100)),
            "schedule": draw(timings()),
        }
    return {
        "segue": 1,
        "schedule": {
            "enabled": draw(st.booleans()),
            "days": draw(days),
            "times": draw(times),
            "time_zone": draw(zones),
        },
        "sources": sources,
        "attributes": attributes,
        "segments": segments,
        "destinations": destinations,
    }
