"""The statements about static segments' lists.

`{entry}`, `{given}` and `{profile}` are what is compared of an entry `e`, a given value `g` and a
profile `p`: `forms_of` makes them. Everything else is a parameter.
"""


def forms_of(attribute: str) -> dict[str, str]:
    """Keys are compared as they are, other values without case, as rules compare text.

    `attribute` is the parameter that names it, or empty for the key.
    """
    if not attribute:
        return {"entry": "e.value", "given": "g.value", "profile": "p.key"}
    lowered = "lower({} COLLATE pg_c_utf8)"
    return {
        "entry": lowered.format("e.value"),
        "given": lowered.format("g.value"),
        "profile": lowered.format(f"(p.attributes ->> {attribute})"),
    }


# A condition on a profile; `{workspace}` and `{segment}` are parameters.
LISTED = (
    "EXISTS (SELECT 1 FROM segments_segmententry e WHERE e.workspace_id = {workspace}"
    " AND e.segment_id = {segment} AND {entry} = {profile})"
)

CREATE_GIVEN = 'CREATE TEMPORARY TABLE given (value text COLLATE "C") ON COMMIT DROP'
COPY_GIVEN = "COPY given FROM STDIN"
COUNT_GIVEN = "SELECT count(*), count(DISTINCT {given}) FROM given g"

ADD = """
INSERT INTO segments_segmententry (workspace_id, segment_id, value)
SELECT %(workspace)s, %(segment)s, min(g.value) FROM given g
WHERE NOT EXISTS (SELECT 1 FROM segments_segmententry e
    WHERE e.workspace_id = %(workspace)s AND e.segment_id = %(segment)s AND {entry} = {given})
GROUP BY {given}
"""

REMOVE = """
DELETE FROM segments_segmententry e
WHERE e.workspace_id = %(workspace)s AND e.segment_id = %(segment)s
    AND EXISTS (SELECT 1 FROM given g WHERE {given} = {entry})
"""

KEEP_ONLY = """
DELETE FROM segments_segmententry e
WHERE e.workspace_id = %(workspace)s AND e.segment_id = %(segment)s
    AND NOT EXISTS (SELECT 1 FROM given g WHERE {given} = {entry})
"""

# The planner is told of many new entries at once, or it would take the list for a short one.
ANALYZE = "ANALYZE segments_segmententry"

COUNT_ENTRIES = """
SELECT count(*) FROM segments_segmententry
WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s
"""

COPY_ENTRIES = """
INSERT INTO segments_segmententry (workspace_id, segment_id, value)
SELECT workspace_id, %(to)s, value FROM segments_segmententry
WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s
"""

# What no profile has: an anti-join by hash, or by the key's index where the list is short.
_MISSING = """
FROM segments_segmententry e
WHERE e.workspace_id = %(workspace)s AND e.segment_id = %(segment)s
    AND NOT EXISTS (SELECT 1 FROM segments_profile p
        WHERE p.workspace_id = %(workspace)s AND {profile} = {entry})
"""
COUNT_MISSING = f"SELECT count(*) {_MISSING}"
LIST_MISSING = f"SELECT e.value {_MISSING} ORDER BY e.value LIMIT %(most)s"
REMOVE_MISSING = f"DELETE {_MISSING}"
