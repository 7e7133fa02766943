"""Uploads on disk: a directory for each, which goes with all that is in it."""

import os
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from django.conf import settings

from config.full_disk import is_full

LONGEST_NAME = 255
# Left for everything else on the same disk.
KEPT_FREE_BYTES = 1_000_000_000
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
PACKED = re.compile(r"\.(gz|zst)$", re.IGNORECASE)
KNOWN = re.compile(r"\.(csv|tsv|txt|jsonl|ndjson|json|parquet)$", re.IGNORECASE)


class NoRoom(Exception):
    """The disk is full."""


class Part:
    """A piece of a file as it arrived, on disk but not yet part of it; gone unless `add` took it.

    Raises `NoRoom`.
    """

    def __init__(self, directory: Path, blocks: Iterable[bytes]) -> None:
        self.size = self.checksum = 0
        with disk_full_told():
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(prefix="part-", dir=directory)
            self.path = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    for block in blocks:
                        file.write(block)
                        self.size += len(block)
                        self.checksum = crc32(block, self.checksum)
            except BaseException:
                self.drop()
                raise

    def start(self, length: int) -> bytes:
        with self.path.open("rb") as file:
            return file.read(length)

    def add(self, offset: int) -> None:
        """Puts it into its upload's file at the offset, whatever lay there and after."""
        whole = file_of(self.path.parent)
        if offset == 0:
            self.path.replace(whole)
        with disk_full_told(), whole.open("r+b") as file:
            try:
                if offset:
                    file.truncate(offset)
                    file.seek(offset)
                    with self.path.open("rb") as part:
                        shutil.copyfileobj(part, file, 1024 * 1024)
                    file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(whole, offset)
                raise

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


class disk_full_told:  # noqa: N801 - used like a function
    """Turns what the system says of a full disk into `NoRoom`."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, OSError) and is_full(problem):
            raise NoRoom from problem


def directory_of(workspace_id: int, upload_id: int) -> Path:
    return Path(settings.UPLOAD_DIR) / str(workspace_id) / "incoming" / str(upload_id)


def file_of(directory: Path) -> Path:
    return directory / "file"


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def free_bytes() -> int:
    """How much may still be uploaded before the disk is too full."""
    directory = Path(settings.UPLOAD_DIR)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return shutil.disk_usage(directory).free - KEPT_FREE_BYTES


def scratch(workspace_id: int) -> tempfile.TemporaryDirectory[str]:
    """A directory for the time of an import, on the disk that has room for the file itself."""
    directory = Path(settings.UPLOAD_DIR) / str(workspace_id)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return tempfile.TemporaryDirectory(prefix="scratch-", dir=directory)


def old_directories(seconds: float) -> list[tuple[int, int, Path]]:
    """Workspace, upload and place of the directories that nothing was added to for so long."""
    return [
        (int(path.parent.parent.name), int(path.name), path)
        for path in _old("*/incoming/*", seconds)
        if path.name.isdecimal()
    ]


def remove_old_scratch(seconds: float) -> None:
    """Removes what imports and forms left that were killed so long ago."""
    for path in _old("*/scratch-*", seconds):
        remove(path)
    for path in _old("form-*", seconds):
        path.unlink(missing_ok=True)


def old_kept(seconds: float) -> list[tuple[int, Path]]:
    """Workspace and place of whole files of imports that nothing was added to for so long."""
    return [
        (int(path.parent.name), path)
        for path in _old(f"*/{'[0-9a-f]' * 32}", seconds)
        if path.parent.name.isdecimal()
    ]


def _old(pattern: str, seconds: float) -> Iterator[Path]:
    before = time.time() - seconds
    for path in Path(settings.UPLOAD_DIR).glob(pattern):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                yield path


def clean_name(name: str) -> str:
    """A file's own name: without folders before it, and without characters that no eye can see."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(one for one in last if unicodedata.category(one) not in UNSEEN).strip()
    if len(seen) > LONGEST_NAME:
        ending = Path(seen).suffix[-20:]
        seen = seen[: LONGEST_NAME - len(ending)] + ending
    return seen or "file"


def source_name_of(file_name: str) -> str:
    """What a source is called after a file: its name without the endings of its form."""
    return KNOWN.sub("", PACKED.sub("", file_name)) or file_name
