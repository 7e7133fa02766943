"""What may be asked of a database: one statement that reads.

Databases are asked read-only besides, where they know how; this is for what that leaves open.
"""

import re

from segments.databases.problems import DatabaseProblem
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _

LONGEST = 100_000
BEGINNINGS = ("select", "with", "values", "table", "from")
# Before the first word: blanks, brackets, comments but those that MySQL executes.
AHEAD = re.compile(r"(\s|\(|--[^\n]*\n|/\*(?![!M+]).*?\*/)*", re.DOTALL)
# With any of these a text may end elsewhere than at the next quotation mark, in some database.
UNCLEAR = re.compile(r"\\|\$|#|\[|--|/\*|'''|\"\"\"")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
WRITES_FILES = re.compile(r"\b(outfile|dumpfile)\b", re.IGNORECASE)


def checked(statement: str) -> str:
    """The statement without the semicolon at its end. Raises `DatabaseProblem`."""
    statement = statement.strip().rstrip("; \t\r\n")
    if not statement:
        raise _problem(_("Type a query."))
    if len(statement) > LONGEST:
        raise _problem(
            _("The query is longer than %(most)d characters. Make a view of it in the database.")
            % {"most": LONGEST}
        )
    if "\0" in statement:
        raise _problem(_("The query has a character that no text can hold. Type it again."))
    beginning = AHEAD.match(statement)
    first = statement[beginning.end() if beginning else 0 :].lower()
    if not re.match(rf"({'|'.join(BEGINNINGS)})\b", first):
        raise _problem(_("Only queries that read are run. Begin it with SELECT or WITH."))
    if ";" in statement:
        if UNCLEAR.search(statement):
            raise _problem(
                _(
                    "A query with a semicolon in a text may have no comments, and none of the"
                    " characters \\ $ # [ as well. Take them out."
                )
            )
        if ";" in QUOTED.sub("", statement):
            raise _problem(_("Only one query can be run. Take out everything after the first."))
    if WRITES_FILES.search(statement):
        raise _problem(_("A source only reads: it can’t write files. Take out INTO OUTFILE."))
    return statement


def _problem(message: Sentence) -> DatabaseProblem:
    return DatabaseProblem(message, "statement")
