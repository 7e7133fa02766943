"""Which encoding a text file is in, and how it comes to be in UTF-8."""

import codecs
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from segments.legacy_encodings import guess
from workspaces.sentences import Explained
from workspaces.sentences import gettext as _

LINES_LOOKED_AT = 2_000
SAMPLE_BYTES = 512 * 1024
BLOCK = 1024 * 1024
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class UnreadableFile(Explained):
    """Why a file can't be read, and what to do; the message is for people."""


@contextmanager
def received(blocks: Iterable[bytes]) -> Iterator[Path]:
    """The text file that comes in blocks, in UTF-8, until the context ends.

    Raises `UnreadableFile`.
    """
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "uploaded"
        with path.open("wb") as file:
            for block in blocks:
                file.write(block)
        in_utf8(path)
        yield path


def in_utf8(path: Path) -> str:
    """Rewrites the text file in UTF-8, whatever it was written in; returns what that was.

    Raises `UnreadableFile`.
    """
    encoding = _encoding(path)
    as_utf8(path, encoding)
    return encoding


def as_utf8(path: Path, encoding: str) -> None:
    """Rewrites the file in UTF-8 without a mark, in place, if it is not so."""
    if encoding != "utf-8":
        rewrite(path, encoding, "utf-8")


def rewrite(path: Path, encoding: str, to: str) -> None:
    """Rewrites the text file in place, from one encoding in another. Raises `UnreadableFile`."""
    temporary = path.with_name(f"{path.name}.rewritten")
    try:
        with (
            path.open(encoding=encoding, errors="strict", newline="") as source,
            temporary.open("w", encoding=to, newline="") as target,
        ):
            while text := source.read(BLOCK):
                if "\0" in text:
                    raise _not_text()
                target.write(text)
    except UnreadableFile:
        temporary.unlink()
        raise
    except UnicodeError as damaged:
        temporary.unlink()
        raise UnreadableFile(
            _("The file’s encoding is damaged. Save it as CSV in UTF-8 and try again.")
        ) from damaged
    temporary.replace(path)


def must_be_utf8(path: Path) -> bool:
    """What makes letters of several bytes by accident is next to impossible."""
    with path.open("rb") as file:
        is_ascii = all(block.isascii() for block in iter(lambda: file.read(BLOCK), b""))
    return not is_ascii and _is_utf8(path)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(SAMPLE_BYTES)
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if b"\0" in start:
        return _unmarked_utf16(start)
    if _is_utf8(path):
        return "utf-8"
    with path.open("rb") as file:
        encoding = guess(islice((line for line in file if not line.isascii()), LINES_LOOKED_AT))
    if not encoding:
        raise UnreadableFile(
            _("The file’s encoding is not known. Save it as CSV in UTF-8 and try again.")
        )
    return encoding


def _unmarked_utf16(start: bytes) -> str:
    """UTF-16 by its line ends, and by the noughts that what separates the cells has."""
    little, big = start[1::2].count(0), start[::2].count(0)
    if b"\n\0" in start and little > 4 * big and little > len(start) / 16:
        return "utf-16-le"
    if b"\0\n" in start and big > 4 * little and big > len(start) / 16:
        return "utf-16-be"
    raise _not_text()


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                if b"\0" in block:
                    raise _not_text()
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _not_text() -> UnreadableFile:
    return UnreadableFile(_("This is not a text file. Save the table as CSV and choose that file."))
