"""Tells by its first bytes what a file is that is no table, and what to do instead."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from segments.encodings import UnreadableFile

# As many first bytes as are looked at.
LOOKED_AT = 4096

EXCEL = _(
    "This is an Excel workbook. In Excel choose “Save as”, then “CSV UTF-8”, and choose that file."
)
SPREADSHEET = _("This is a spreadsheet. Save its table as CSV and choose that file.")
OFFICE = _(
    "This is an Office file. If it is a workbook: in Excel choose “Save as”, then “CSV UTF-8”, and"
    " choose that file."
)
DOCUMENT = _("This is a document. Save the table in it as CSV and choose that file.")
PDF = _("This is a PDF document. Export the table as CSV and choose that file.")
IMAGE = _("This is a picture. Export the table as CSV and choose that file.")
PROGRAM = _("This is a program, not a table. Choose a CSV, JSON Lines or Parquet file.")
MEDIA = _("This is audio or video. Choose a CSV, JSON Lines or Parquet file.")
ARCHIVE = _("This is an archive. Unpack it and choose the file inside.")
PACKED = _(
    "This file is packed in a way that is not read here. Unpack it, or pack it by gzip or"
    " Zstandard."
)
DATABASE = _("This is a database. Export the table as CSV and choose that file.")
ARROW = _("This is an Arrow file. Save the table as Parquet or CSV and choose that.")
WEB_PAGE = _(
    "This is a web page, perhaps the sign-in page of wherever it was downloaded. Download the file"
    " again and choose it."
)
XML = _("This is an XML file. Save the table as CSV and choose that file.")

BY_START: dict[bytes, Promise | str] = {
    b"%PDF-": PDF,
    b"\x89PNG\r\n\x1a\n": IMAGE,
    b"\xff\xd8\xff": IMAGE,
    b"GIF87a": IMAGE,
    b"GIF89a": IMAGE,
    b"II*\0": IMAGE,
    b"MM\0*": IMAGE,
    b"\x7fELF": PROGRAM,
    b"#!/": PROGRAM,
    b"\xca\xfe\xba\xbe": PROGRAM,
    b"\xfe\xed\xfa\xce": PROGRAM,
    b"\xfe\xed\xfa\xcf": PROGRAM,
    b"\xce\xfa\xed\xfe": PROGRAM,
    b"\xcf\xfa\xed\xfe": PROGRAM,
    b"Rar!\x1a\x07": ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": ARCHIVE,
    b"\xfd7zXZ\0": PACKED,
    b"BZh91AY&SY": PACKED,
    b"\x04\x22\x4d\x18": PACKED,
    b"SQLite format 3\0": DATABASE,
    b"\0\x01\0\0Standard ": DATABASE,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OFFICE,
    b"ARROW1\0": ARROW,
    b"Obj\x01": ARROW,
}
# A word might begin so: a byte that no text has must follow.
BY_START_WITH_NUL: dict[bytes, Promise | str] = {
    b"MZ": PROGRAM,
    b"BM": IMAGE,
    b"RIFF": MEDIA,
    b"OggS": MEDIA,
    b"ID3": MEDIA,
}
ZIP = b"PK\x03\x04"
BLANKS = b" \t\r\n\xef\xbb\xbf"


def refuse_other_kinds(start: bytes) -> None:
    """Raises `UnreadableFile` if a file that starts so is a known kind of something else.

    What starts with other bytes may be a table, or nothing that is known here.
    """
    said = _kind_of(start)
    if said:
        raise UnreadableFile(str(said))


def _kind_of(start: bytes) -> Promise | str:
    for sign, said in BY_START.items():
        if start.startswith(sign):
            return said
    if b"\0" in start:
        for sign, said in BY_START_WITH_NUL.items():
            if start.startswith(sign):
                return IMAGE if start[8:12] == b"WEBP" else said
        if start[4:8] == b"ftyp":
            return MEDIA
        if start[257:262] == b"ustar":
            return ARCHIVE
    if start.startswith(ZIP):
        return _inside_zip(start)
    text = start.lstrip(BLANKS)[:100].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return WEB_PAGE
    return XML if text.startswith(b"<?xml") else ""


def _inside_zip(start: bytes) -> Promise | str:
    """Office files are ZIP archives; what they are is said by the names of what is in them."""
    if b"opendocument.spreadsheet" in start:
        return SPREADSHEET
    if b"xl/" in start:
        return EXCEL
    if b"word/" in start or b"ppt/" in start or b"opendocument" in start:
        return DOCUMENT
    return OFFICE if b"[Content_Types].xml" in start else ARCHIVE
