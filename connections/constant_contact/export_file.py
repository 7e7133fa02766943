"""A contact export as it arrives: read in blocks, and known to be whole or broken."""

import csv
import io
from typing import Any

from urllib3.exceptions import HTTPError

BUFFER = 1 << 18


class ExportFile:
    """`broken` says whether reading it has failed; whoever reads may have made it another error."""

    def __init__(self, raw: Any) -> None:
        raw.decode_content = True
        raw.auto_close = False
        self._file = io.BufferedReader(raw, BUFFER)
        self.broken = False

    def header(self) -> list[str]:
        """The first line, which comes before anything else is read."""
        line = self._read(self._file.readline).decode("utf-8-sig", "replace")
        return [name.strip().lower() for name in next(csv.reader([line]), [])]

    def read(self, size: int = -1) -> bytes:
        return self._read(self._file.read, size)

    def _read(self, how: Any, *size: int) -> bytes:
        try:
            return bytes(how(*size))
        except (HTTPError, OSError, ValueError):
            self.broken = True
            raise
