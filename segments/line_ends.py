"""Where the lines of a text file end, which its reader has to know before it takes it apart."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

BLOCK = 1024 * 1024
# A file of so many bytes is read in one part, from its beginning.
ALL_IN_ONE = 4_000_000


def make_one(path: Path, quote: str) -> None:
    """Has every row of a file in UTF-8 end in the same way, in place; what is within quotes stays.

    Files put together from others end their rows now so, now so, and the reader knows one way.
    """
    if _is_one(path):
        return
    found: set[str] = set()
    for _line, end in _lines(path, quote):
        if end:
            found.add(end)
        if len(found) > 1:
            break
    else:
        return
    written = path.with_name(f"{path.name}.ends")
    with written.open("w", encoding="utf-8", newline="") as one_way:
        one_way.writelines(
            f"{line[: -len(end)]}\n" if end else line for line, end in _lines(path, quote)
        )
    written.replace(path)


def _is_one(path: Path) -> bool:
    """Whether it is so at first sight: by counting, whatever is within quotes."""
    both = feeds = returns = 0
    before = b""
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            both += block.count(b"\r\n") + (before + block[:1] == b"\r\n")
            feeds += block.count(b"\n")
            returns += block.count(b"\r")
            before = block[-1:]
    return not returns or both == feeds == returns


def _lines(path: Path, quote: str) -> Iterator[tuple[str, str]]:
    """Each line with what ends the row there; that is empty where a quoted value goes on."""
    is_inside = False
    with path.open(encoding="utf-8", newline="") as file:
        for line in file:
            is_inside ^= bool(quote and line.count(quote) % 2)
            yield line, "" if is_inside else line[len(line.rstrip("\r\n")) :]


def are_quoted(path: Path, delimiter: str = ",", quote: str = '"') -> bool:
    """Whether rows of a large file go on in the next line, within quotes.

    Not of a file that ends within quotes: a reader that begins in the middle tells where that is.
    """
    sign = quote.encode()
    if not sign or path.stat().st_size < ALL_IN_ONE:
        return False
    with path.open("rb") as file:
        if not any(sign in block for block in iter(lambda: file.read(BLOCK), b"")):
            return False
        file.seek(0)
        return _go_on(file, delimiter.encode(), sign)


def _go_on(lines: Iterable[bytes], delimiter: bytes, quote: bytes) -> bool:
    """Whether a quoted value takes several lines, and every one comes to its end."""
    opening = re.compile(rb"(?:^|%b)\s*%b" % (re.escape(delimiter), re.escape(quote)))
    found = is_inside = False
    for line in lines:
        if line.count(quote) % 2:
            # A quote in the middle of a value opens none.
            is_inside = not is_inside and opening.search(line) is not None
            found = found or is_inside
    return found and not is_inside
