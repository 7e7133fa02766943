"""Compiles the translations: gettext's own programs need not be there."""

from pathlib import Path

import polib

for source in Path(__file__).resolve().parent.parent.glob("locale/*/LC_MESSAGES/*.po"):
    compiled = source.with_suffix(".mo")
    if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
        polib.pofile(str(source)).save_as_mofile(str(compiled))
