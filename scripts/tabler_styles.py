"""Makes static/vendor/tabler/tabler.css: of Tabler's styles, what Segue's pages use.

All of Tabler is in scripts/tabler/. A rule stays when every class of its selector is named where
markup is written: in the templates, in the scripts of static/ and in forms. What gives custom
properties a value stays where something reads them, and keyframes where something plays them.

`--check` changes nothing and ends with status 1 when the file is not what it would be made now.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tinycss2  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "scripts" / "tabler" / "tabler.min.css"
RESULT = ROOT / "static" / "vendor" / "tabler" / "tabler.css"
APPS = ("workspaces", "segments", "exports", "connections", "api")

# What the pages put at the end of a class that they begin, as in `alert-{{ tone }}`.
ENDINGS = ("primary", "danger", "warning", "info", "success")
# Written by theme.js, as dataset.bsTheme.
ATTRIBUTES = ("data-bs-theme",)

IN_TEMPLATES = re.compile(r"""\b(?:class|css)=("[^"]*"|'[^']*')""")
IN_SCRIPTS = re.compile(r"""("[^"\n]*"|'[^'\n]*'|`[^`]*`)""")
IN_PYTHON = re.compile(r"""(?:\bclass=\\?|\bcss=|"class": )("[^"]*"|'[^']*')""")
CLASS = re.compile(r"[A-Za-z][\w-]*")
BEGUN = re.compile(r"([A-Za-z][\w-]*-)(?:\{\{|\{%|\$\{|\{)")
READ = re.compile(r"var\(\s*(--[\w-]+)")


@dataclass
class Rule:
    """`inner` are the rules of a media query; `raw` is the text of what has no selector."""

    head: str
    declarations: list[tuple[str, str]] = field(default_factory=list)
    inner: "list[Rule]" = field(default_factory=list)
    raw: str = ""


def classes_named() -> set[str]:
    """The classes in markup of ours, and the ends that those begun there may have."""
    places = [
        *((path, IN_TEMPLATES) for path in (ROOT / "templates").rglob("*.html")),
        *((path, IN_SCRIPTS) for path in (ROOT / "static").glob("*.js")),
        *((path, IN_PYTHON) for app in APPS for path in (ROOT / app).rglob("*.py")),
    ]
    named: set[str] = set()
    for path, written in places:
        for text in written.findall(path.read_text()):
            named |= set(CLASS.findall(text))
            named |= {begun + ending for begun in BEGUN.findall(text) for ending in ENDINGS}
    return named


def _split(tokens: Iterable[Any]) -> list[list[Any]]:
    """The selectors of a list that commas part."""
    parts: list[list[Any]] = [[]]
    for one in tokens:
        if one == ",":
            parts.append([])
        else:
            parts[-1].append(one)
    return parts


def _may_match(selector: list[Any], classes: set[str]) -> bool:
    before: Any = None
    for token in selector:
        if before == "." and token.type == "ident" and token.value not in classes:
            return False
        if token.type == "[] block":
            name = next((part.value for part in token.content if part.type == "ident"), "")
            if name.startswith("data-") and name not in ATTRIBUTES:
                return False
        if token.type == "function" and token.lower_name in ("is", "where", "has"):
            choices = _split(token.arguments)
            if not any(_may_match(one, classes) for one in choices):
                return False
        before = token
    return True


def _matching(nodes: list[Any], classes: set[str]) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            matching = [one for one in _split(node.prelude) if _may_match(one, classes)]
            if matching:
                declared = tinycss2.parse_declaration_list(node.content, True, True)
                yield Rule(
                    ",".join(tinycss2.serialize(one).strip() for one in matching),
                    [(one.name, one.serialize()) for one in declared],
                )
        elif node.lower_at_keyword in ("media", "supports"):
            inner = tinycss2.parse_rule_list(node.content, True, True)
            head = f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}"
            yield Rule(head, inner=list(_matching(inner, classes)))
        else:
            yield Rule(node.lower_at_keyword, raw=node.serialize())


def _flat(rules: list[Rule]) -> Iterator[tuple[str, str]]:
    for rule in rules:
        yield from rule.declarations
        yield from _flat(rule.inner)


def _read(rules: list[Rule], ours: str) -> set[str]:
    """The custom properties that something reads, if only to give another one its value."""
    declared = list(_flat(rules))
    read = set(re.findall(r"--[\w-]+", ours))
    while True:
        also = {
            name
            for at, text in declared
            if not at.startswith("--") or at in read
            for name in READ.findall(text)
        }
        if also <= read:
            return read
        read |= also


def _written(rules: list[Rule], read: set[str], played: set[str]) -> Iterator[str]:
    for rule in rules:
        if rule.raw:
            name = rule.raw.split("{")[0].split()[-1]
            if {"keyframes": name in played, "property": name in read}.get(rule.head, True):
                yield rule.raw
        elif rule.inner:
            if inner := list(_written(rule.inner, read, played)):
                yield f"{rule.head}{{{''.join(inner)}}}"
        elif kept := [
            text for name, text in rule.declarations if not name.startswith("--") or name in read
        ]:
            yield f"{rule.head}{{{';'.join(kept)}}}"


def subset(source: str, classes: set[str], ours: str) -> str:
    """`ours` is the text of our own styles and scripts, which may read Tabler's properties."""
    rules = list(_matching(tinycss2.parse_stylesheet(source, True, True), classes))
    animations = (text for name, text in _flat(rules) if name.startswith("animation"))
    played = set(CLASS.findall(" ".join(animations)))
    lines = list(_written(rules, _read(rules, ours), played))
    licence = re.search(r"/\*!.*?\*/", source, re.S)
    assert licence is not None  # noqa: S101
    # Nothing may come before the character set.
    return "\n".join([lines[0], licence[0], *lines[1:], ""])


def classes_of(path: Path) -> set[str]:
    """The classes that a stylesheet speaks of."""
    return set(re.findall(r"\.([A-Za-z][\w-]*)(?=[^{}]*\{)", path.read_text()))


def made() -> str:
    """What the file would be, made now."""
    ours = [*(ROOT / "static").glob("*.css"), *(ROOT / "static").glob("*.js")]
    return subset(SOURCE.read_text(), classes_named(), "\n".join(path.read_text() for path in ours))


def main() -> int:
    fresh = made()
    if RESULT.exists() and RESULT.read_text() == fresh:
        return 0
    if "--check" in sys.argv:
        print(f"{RESULT.name} is not of what the pages use today: run scripts/tabler_styles.py")
        return 1
    RESULT.write_text(fresh)
    print(f"{len(fresh.encode())} of {SOURCE.stat().st_size} bytes in {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
