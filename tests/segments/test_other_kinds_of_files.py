"""What is no table is told by its content, whatever it is called, with what to do instead."""

import bz2
import io
import lzma
import sqlite3
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from segments.contents import LOOKED_AT, refuse_other_kinds
from segments.encodings import UnreadableFile
from tests.conftest import ROOT


def zipped(*names: str) -> Callable[[Path], bytes]:
    def make(_folder: Path) -> bytes:
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            for name in names:
                archive.writestr(name, "<x/>" * 100)
        return written.getvalue()

    return make


def spreadsheet(_folder: Path) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    return written.getvalue()


def tarred(_folder: Path) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.add(ROOT / "manage.py", "manage.py")
    return written.getvalue()


def database(folder: Path) -> bytes:
    path = folder / "x.db"
    sqlite3.connect(path).execute("CREATE TABLE customers (id)").connection.close()
    return path.read_bytes()


def file(path: Path | str) -> Callable[[Path], bytes]:
    return lambda _folder: Path(path).read_bytes()


def just(content: bytes) -> Callable[[Path], bytes]:
    return lambda _folder: content


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "an Excel workbook"),
        (zipped("[Content_Types].xml", "word/document.xml"), "a document"),
        (zipped("[Content_Types].xml"), "an Office file"),
        (zipped("customers.csv"), "an archive"),
        (spreadsheet, "a spreadsheet"),
        (tarred, "an archive"),
        (database, "a database"),
        (file(Path(sys.executable).resolve()), "a program"),
        (just(b"MZ\x90\0\x03\0\0\0" + b"\0" * 200), "a program"),
        (just(b"#!/bin/sh\nrm -rf /\n"), "a program"),
        (file(ROOT / "docs/images/run.png"), "a picture"),
        (just(b"\xff\xd8\xff\xe0\0\x10JFIF"), "a picture"),
        (just(b"RIFF\x10\0\0\0WEBPVP8 "), "a picture"),
        (just(b"RIFF\x10\0\0\0WAVEfmt "), "audio or video"),
        (just(b"\0\0\0\x18ftypmp42"), "audio or video"),
        (just(b"%PDF-1.7\n%\xe2\xe3"), "a PDF document"),
        (just(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500), "an Office file"),
        (just(lzma.compress(b"id\n1\n")), "packed in a way that is not read here"),
        (just(bz2.compress(b"id\n1\n")), "packed in a way that is not read here"),
        (just(b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>"), "a web page"),
        (just(b'<?xml version="1.0"?><rows/>'), "an XML file"),
    ],
)
def test_it_is_told_what_the_file_is_and_what_to_do(
    tmp_path: Path, make: Callable[[Path], bytes], said: str
) -> None:
    with pytest.raises(UnreadableFile) as told:
        refuse_other_kinds(make(tmp_path)[:LOOKED_AT])
    message = str(told.value)
    assert said in message
    assert any(word in message for word in ("hoose", "Unpack", "pack it", "Download"))


@pytest.mark.parametrize(
    "start",
    [
        b"MZ,name\n1,Ann\n",
        b"BM;points\n",
        b"ID3,OggS,RIFF\n",
        b"<name>,id\n",
        b"PK,id\n",
        b"#id,name\n",
        "MZ,náme\n".encode("utf-16"),
        b'{"id": 1}\n',
        b"PAR1",
        b"",
    ],
)
def test_what_may_be_a_table_is_let_through(start: bytes) -> None:
    refuse_other_kinds(start)
