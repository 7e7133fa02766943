"""YAML as these files take it: plain data with the lines it is on, and nothing that can do harm.

Scalars are read as YAML 1.2 reads them, so that `on`, `no`, `07:30` and `2026-12-31` are text; they
are written so that readers of YAML 1.1 take them for text, too.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_BYTES = 5_000_000
MOST_NODES = 300_000
DEEPEST = 40
LONGEST_LINE = 90

Path = tuple[str | int, ...]

_PLAIN: tuple[tuple[str, re.Pattern[str], list[str]], ...] = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^[-+]?[0-9]+$", re.ASCII), list("-+0123456789")),
    (
        "float",
        re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", re.ASCII),
        list("-+.0123456789"),
    ),
)
_TAG = "tag:yaml.org,2002:"
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Unreadable(Exception):
    """Why a text is no such file; the message is for people."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = {
        first: list(found) for first, found in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


for _name, _pattern, _firsts in _PLAIN:
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, _firsts)
    _Dumper.add_implicit_resolver(_TAG + _name, _pattern, _firsts)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    is_block = "\n" in value and all(line == line.rstrip() for line in value.split("\n"))
    return dumper.represent_scalar(f"{_TAG}str", value, "|" if is_block else None)


def _short(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.SequenceNode:
    """Lists of a few small things on one line."""
    is_short = (
        all(not isinstance(one, dict | list) for one in value) and len(str(value)) < LONGEST_LINE
    )
    return dumper.represent_sequence(f"{_TAG}seq", value, flow_style=is_short)


def _one_line(dumper: yaml.SafeDumper, value: dict[str, Any]) -> yaml.MappingNode:
    """What holds nothing but a few small things, such as a rule, on one line."""
    parts = [one for each in value.values() for one in (each if isinstance(each, list) else [each])]
    is_flat = not any(isinstance(one, dict | list) or "\n" in str(one) for one in parts)
    is_short = is_flat and len(str(value)) < LONGEST_LINE
    return dumper.represent_mapping(f"{_TAG}map", value.items(), flow_style=is_short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _one_line)
_Dumper.add_representer(list, _short)


@dataclass
class Read:
    """`lines` are of the values at each path, and counted from 1."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)


def write(data: Mapping[str, Any]) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read(content: bytes) -> Read:
    """Raises `Unreadable`."""
    if len(content) > MOST_BYTES:
        raise Unreadable(
            f"The file has more than {MOST_BYTES:,} bytes. Take lists of values out of rules, and"
            " make static segments of them."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The file is not in UTF-8 (byte {error.start}). Save it as UTF-8.") from (
            error
        )
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise Unreadable(f"This is no YAML: {_problem(error)}") from error
    if node is None:
        raise Unreadable("The file is empty. Begin with “segue: 1”.")
    found = Read()
    found.data = _plain(node, (), found.lines)
    return found


def _check_events(text: str) -> None:
    """Looks at the text piece by piece before anything is built of it."""
    depth = nodes = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(f"Line {line}: anchors and aliases are not taken. Write it out.")
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise Unreadable(f"Line {line}: a file holds one document. Take the second one out.")
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > MOST_NODES:
            raise Unreadable(f"The file holds more than {MOST_NODES:,} values. Write less.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Unreadable(f"Line {line}: this is nested too deeply.")


def _line(of: Any) -> int:
    return int(of.start_mark.line) + 1


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{getattr(error, 'problem', None) or error}"


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    line = _line(node)
    lines[path] = line
    kind = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.SequenceNode) and kind == "seq":
        return [_plain(one, (*path, place), lines) for place, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and kind == "map":
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Unreadable(f"Line {_line(key)}: a name is a text.")
            if key.value in found:
                raise Unreadable(f"Line {_line(key)}: “{key.value[:100]}” is there twice.")
            _check_text(key)
            found[key.value] = _plain(value, (*path, key.value), lines)
            lines[(*path, key.value)] = _line(key)
        return found
    if isinstance(node, yaml.ScalarNode):
        _check_text(node)
        return _scalar(kind, node.value, line)
    raise Unreadable(f"Line {line}: “{node.tag[:100]}” is not taken here. Write plain values.")


def _check_text(node: yaml.ScalarNode) -> None:
    if _NO_TEXT.search(node.value):
        line = _line(node)
        raise Unreadable(f"Line {line}: there is a character that no text can hold. Take it out.")


def _scalar(kind: str, text: str, line: int) -> Any:
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        number = {"int": int, "float": float}[kind](text)
    except KeyError:
        raise Unreadable(f"Line {line}: “!!{kind[:100]}” is not taken here.") from None
    except ValueError:
        raise Unreadable(f"Line {line}: this is no number that can be read.") from None
    if isinstance(number, float) and not math.isfinite(number):
        raise Unreadable(f"Line {line}: this number is too large.")
    return number
