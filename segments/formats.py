"""What a file is, told by its content: packed, JSON or Parquet, it becomes the CSV it stands for.

Whatever comes after meets one form only. Values keep the text that they have in the file; lists
and objects stay JSON.
"""

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import duckdb
import zstandard
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from segments.contents import BLANKS, LOOKED_AT, refuse_other_kinds
from segments.dialect import Dialect, checked_names, identifier, quoted
from segments.encodings import MARKS, UnreadableFile, as_utf8
from workspaces.sentences import gettext as _

BLOCK = 1024 * 1024
ZSTD_BLOCK = 1024
WATCH_SECONDS = 0.2
LONGEST_OBJECT = 16 * BLOCK
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PARQUET = b"PAR1"


def as_csv(path: Path) -> Dialect | None:
    """Unpacks and rewrites the file in place; None when it is text as it was, to be sniffed.

    Raises `UnreadableFile`.
    """
    start = _start_of(path)
    if start.startswith(GZIP):
        _unpack(path, _gzip)
    elif start.startswith(ZSTD):
        _unpack(path, _zstd)
    start = _start_of(path)
    encoding = next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")
    if encoding != "utf-8" and start.decode(encoding, "ignore").lstrip()[:1] in ("{", "["):
        as_utf8(path, encoding)
        start = _start_of(path)
    refuse_other_kinds(start)
    if start.startswith(PARQUET):
        return _rewrite(path, _parquet)
    if start.lstrip(BLANKS)[:1] in (b"{", b"["):
        return _rewrite(path, _json)
    return None


def is_text(path: Path) -> bool:
    """Whether its size says how much it holds."""
    return not _start_of(path).startswith((GZIP, ZSTD, PARQUET))


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LOOKED_AT)


def _gzip(packed: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=packed) as file:
        while block := file.read(BLOCK):
            yield block


def _zstd(packed: IO[bytes]) -> Iterator[bytes]:
    """Frame after frame; a few bytes at a time, which may stand for many."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    while block := packed.read(ZSTD_BLOCK):
        while block:
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(block)
            block = frame.unused_data
    if not frame.eof:
        raise EOFError


def _unpack(path: Path, blocks_of: Callable[[IO[bytes]], Iterator[bytes]]) -> None:
    """Unpacks in place, up to as much as may be kept."""
    unpacked, size = path.with_name(f"{path.name}.unpacked"), 0
    try:
        with path.open("rb") as packed, unpacked.open("wb") as kept:
            for block in blocks_of(packed):
                size += len(block)
                if size > settings.MAX_UNPACKED_BYTES:
                    raise _too_large_unpacked()
                kept.write(block)
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as damage:
        raise UnreadableFile(
            _("The file can’t be unpacked to its end. Check that it is whole and try again.")
        ) from damage
    else:
        unpacked.replace(path)
    finally:
        unpacked.unlink(missing_ok=True)


def _rewrite(path: Path, select: Callable[[duckdb.DuckDBPyConnection, Path], Any]) -> Dialect:
    """Writes what the statement of `select` reads, with the columns it names, as CSV in place."""
    written = path.with_name(f"{path.name}.csv")
    with duckdb.connect(config={"memory_limit": "700MB"}) as connection:
        connection.execute("SET TimeZone='UTC'")
        connection.execute(f"SET temp_directory={quoted(str(path.with_name('spill')))}")
        try:
            statement, names = select(connection, path)
            with _watched(connection, written):
                connection.execute(
                    f"COPY ({statement}) TO {quoted(str(written))}"
                    " (HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"')"
                )
        except duckdb.InterruptException as stopped:
            written.unlink(missing_ok=True)
            raise _too_large_unpacked() from stopped
        except duckdb.Error as problem:
            written.unlink(missing_ok=True)
            raise _damaged(path) from problem
    if _has_nul(written):
        written.unlink()
        raise UnreadableFile(
            _("The file has a value with a character that no text can hold (NUL). Take it out.")
        )
    written.replace(path)
    return Dialect("utf-8", ",", '"', '"', 0, names, is_text=False)


def _has_nul(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b"\0" in block for block in iter(lambda: file.read(BLOCK), b""))


@contextmanager
def _watched(connection: duckdb.DuckDBPyConnection, written: Path) -> Iterator[None]:
    """Interrupts the statement that writes the file when that becomes more than may be kept."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(WATCH_SECONDS):
            if written.exists() and written.stat().st_size > settings.MAX_UNPACKED_BYTES:
                connection.interrupt()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _too_large_unpacked() -> UnreadableFile:
    return UnreadableFile(
        _("Unpacked, the file is larger than %(most)s. Split it.")
        % {"most": filesizeformat(settings.MAX_UNPACKED_BYTES)}
    )


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, tuple[str, ...]]:
    table = f"read_parquet({quoted(str(path))})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608
    names = checked_names([name for name, *_rest in described])
    values = []
    for name, (column, kind, *_rest) in zip(names, described, strict=True):
        nested = "[" in kind or kind.startswith(("STRUCT", "MAP", "UNION"))
        value = f"to_json({identifier(column)})" if nested else identifier(column)
        values.append(f"{value}::VARCHAR AS {identifier(name)}")
    return f"SELECT {', '.join(values)} FROM {table}", names  # noqa: S608


def _json(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, tuple[str, ...]]:
    """One object a line, or all of them in one list."""
    form = "array" if _start_of(path).lstrip(BLANKS).startswith(b"[") else "newline_delimited"
    table = (
        f"read_json_objects({quoted(str(path))}, format='{form}',"
        f" maximum_object_size={LONGEST_OBJECT})"
    )
    connection.execute(f"CREATE TABLE read AS SELECT row_number() OVER () AS n, json FROM {table}")  # noqa: S608
    other = connection.execute(
        "SELECT min(n) FROM read WHERE json_type(json) <> 'OBJECT'"
    ).fetchone()
    if other and other[0] is not None:
        raise _no_object(other[0])
    found = connection.execute(
        "SELECT key FROM (SELECT n, unnest(json_keys(json)) AS key,"
        " generate_subscripts(json_keys(json), 1) AS position FROM read)"
        " GROUP BY key ORDER BY min((n, position))"
    ).fetchall()
    keys = [key for (key,) in found]
    names = checked_names(keys)
    # Asked together: one by one, an object would be read again for each of its values.
    pointers = ", ".join(quoted(_pointer_to(key)) for key in keys)
    values = [f"taken.found[{place}] AS {identifier(name)}" for place, name in enumerate(names, 1)]
    taken = f"(SELECT n, json ->> [{pointers}] AS found FROM read) AS taken"  # noqa: S608
    return f"SELECT {', '.join(values)} FROM {taken} ORDER BY taken.n", names  # noqa: S608


def _pointer_to(key: str) -> str:
    """By RFC 6901: in the other notation a name with a star would mean many."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _damaged(path: Path) -> UnreadableFile:
    """Names the first line that is no JSON; a reader's own count is of its blocks."""
    if _start_of(path).lstrip(BLANKS).startswith(b"{"):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip(BLANKS):
                    continue
                try:
                    json.loads(line.strip(b"\xef\xbb\xbf"))
                except ValueError:
                    return _no_object(number)
    return UnreadableFile(
        _("The file can’t be read to its end. Check that it is whole and try again.")
    )


def _no_object(number: int) -> UnreadableFile:
    return UnreadableFile(
        _("Line %(line)d is not a JSON object. Put one object on each line.") % {"line": number}
    )
