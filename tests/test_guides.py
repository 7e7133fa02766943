"""The guides speak of what is on the screen: their pages, pictures and the names of buttons."""

import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
import yaml

from scripts.screenshots import SHOTS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GUIDES = sorted([*DOCS.glob("marketers/*.md"), *DOCS.glob("administrators/*.md")])
MADE = {
    f"{shot.name}{'.ca' if language == 'ca' else ''}"
    for shot in SHOTS
    for language in shot.languages
}


def in_navigation(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for one in part:
            yield from in_navigation(one)
    elif isinstance(part, dict):
        yield from in_navigation(list(part.values()))


def test_every_page_is_in_the_navigation_and_there() -> None:
    named = set(in_navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert {path for path in there if not path.endswith(".ca.md")} == named


def test_every_link_leads_to_a_page_and_every_picture_is_made_by_the_script() -> None:
    shown = set()
    for path in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            there = (path.parent / target).resolve()
            assert there.exists(), f"{path.name}: {target}"
            if there.suffix == ".png":
                shown.add(there.stem)
    assert shown <= MADE
    pictures = {path.stem for path in (DOCS / "images").glob("*.png")}
    assert pictures == MADE, "run make screenshots"


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_a_guide_calls_by_name_is_on_the_screen(path: Path) -> None:
    texts: set[str] = set()
    for entry in polib.pofile(str(ROOT / "locale/ca/LC_MESSAGES/django.po")):
        if path.name.endswith(".ca.md"):
            texts |= {entry.msgstr, *entry.msgstr_plural.values()}
        else:
            texts |= {entry.msgid, entry.msgid_plural}
    known = {text.casefold() for text in texts}
    named = re.findall(r"\*\*(.+?)\*\*", path.read_text())
    assert [name for name in named if name.casefold() not in known] == []


def test_the_guides_are_whole_in_catalan() -> None:
    for path in [DOCS / "index.md", *(one for one in GUIDES if not one.name.endswith(".ca.md"))]:
        english, catalan = path.read_text(), path.with_suffix(".ca.md").read_text()
        for part in (r"^#+ ", r"^!\[|^ +!\[", r"^\| ", r"^\d\. ", r"^!!!"):
            count = [len(re.findall(part, text, re.M)) for text in (english, catalan)]
            assert count[0] == count[1], (path.name, part, count)
