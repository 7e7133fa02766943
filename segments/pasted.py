"""Values pasted from a spreadsheet, there and back.

A column copied from one has its values on lines, a row has tabs between them; a value that holds
a line break, a tab or a quote comes in quotes, its own quotes doubled.
"""

import re

CELL = re.compile(
    r'[ ]*"(?P<quoted>(?:[^"]|"")*+)"[ ]*(?P<end>\t|\r\n|\n|\r|\Z)'
    r"|(?P<plain>[^\t\r\n]*)(?P<plain_end>\t|\r\n|\n|\r|\Z)"
)
NEEDS_QUOTES = re.compile(r'[\t\r\n]|^\s*"')


def rows(text: str) -> list[list[str]]:
    """The cells of each line, without the blanks around them; a broken line becomes one."""
    found: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        match = CELL.match(text, at)
        assert match is not None  # noqa: S101 - the second alternative matches anything
        quoted = match["quoted"]
        cell = match["plain"] if quoted is None else " ".join(quoted.replace('""', '"').split())
        found[-1].append(cell.strip())
        end = match["plain_end"] if quoted is None else match["end"]
        if end in ("\r\n", "\n", "\r"):
            found.append([])
        at = match.end()
    return found


def values(text: str) -> list[str]:
    """Every value that is not blank, in order."""
    return [cell for row in rows(text) for cell in row if cell]


def text_of(given: list[str]) -> str:
    """The values one a line; `values` finds them again."""
    return "\n".join(
        '"' + one.replace('"', '""') + '"' if NEEDS_QUOTES.search(one) else one for one in given
    )
