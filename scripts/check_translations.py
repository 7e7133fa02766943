"""Fails when a string is missing from a translation, or untranslated; `--update` collects them."""

import subprocess
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ca", "es")


def collect(locale: Path) -> None:
    command = [sys.executable, "manage.py", "makemessages", "--no-obsolete", "--no-location"]
    for language in LANGUAGES:
        command += ["-l", language]
    for directory in (".venv", ".venv*", ".data", "tests", "sandbox", "static/vendor"):
        command += ["-i", directory]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def problems(language: str, known: dict[str, polib.POFile]) -> list[str]:
    now = polib.pofile(str(path_of(language)))
    before = {entry.msgid_with_context for entry in known[language]}
    found = [f"not collected: {e.msgid!r}" for e in now if e.msgid_with_context not in before]
    found += [f"not translated: {e.msgid!r}" for e in now.untranslated_entries()]
    found += [f"fuzzy: {e.msgid!r}" for e in now.fuzzy_entries()]
    return [f"{language}: {text}" for text in found]


def path_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def main() -> None:
    kept = {
        language: path.read_text() if (path := path_of(language)).exists() else ""
        for language in LANGUAGES
    }
    known = {language: polib.pofile(text) for language, text in kept.items()}
    collect(ROOT / "locale")
    if "--update" in sys.argv:
        return
    found = [text for language in LANGUAGES for text in problems(language, known)]
    for language, text in kept.items():
        path_of(language).write_text(text)
    if found:
        print("\n".join(found))
        sys.exit("The translations are stale: run `make translations` and translate.")


if __name__ == "__main__":
    main()
