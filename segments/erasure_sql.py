"""What an erasure takes out of the profiles' own tables: each statement finds one person's rows."""

from typing import Any

from segments.erasure_parts import Person
from segments.models import BLANKS

LEAVE_SEGMENTS = """
WITH gone AS (
    DELETE FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND profile_id = %(profile)s
        AND segment_id = ANY (ARRAY(
            SELECT id FROM segments_segment WHERE workspace_id = %(workspace)s))
    RETURNING segment_id
)
UPDATE segments_segment s SET member_count = greatest(0, s.member_count - 1)
FROM gone WHERE s.workspace_id = %(workspace)s AND s.id = gone.segment_id
"""

ON_LIST = """workspace_id = %(workspace)s AND (
    btrim(value, %(blanks)s) = %(key)s
    OR lower(btrim(value, %(blanks)s)) = ANY (%(addresses)s))"""

LEAVE_LISTS = f"""
WITH gone AS (
    DELETE FROM segments_segmententry WHERE {ON_LIST}
    RETURNING segment_id
), counted AS (
    SELECT segment_id, count(*) AS entries FROM gone GROUP BY segment_id
)
UPDATE segments_segment s SET entry_count = greatest(0, s.entry_count - counted.entries)
FROM counted WHERE s.workspace_id = %(workspace)s AND s.id = counted.segment_id
"""  # noqa: S608 - composed of constants

FORGET_SUPPRESSIONS = """
DELETE FROM segments_suppression
WHERE workspace_id = %(workspace)s AND address = ANY (%(addresses)s)
"""

# A refused row is told from others by the cell that was refused, so only that can name a person.
IN_REFUSED_ROW = """workspace_id = %(workspace)s AND value <> '' AND (
    btrim(value, %(blanks)s) = %(key)s
    OR EXISTS (SELECT FROM unnest(%(addresses)s::text[]) address
        WHERE strpos(lower(value), address) > 0))"""

BLANK_REFUSED_ROWS = f"""
UPDATE segments_refusedrow SET value = '' WHERE {IN_REFUSED_ROW}
"""  # noqa: S608 - composed of constants

DELETE_PROFILE = """
DELETE FROM segments_profile WHERE workspace_id = %(workspace)s AND id = %(profile)s
"""

STATEMENTS = (LEAVE_SEGMENTS, LEAVE_LISTS, FORGET_SUPPRESSIONS, BLANK_REFUSED_ROWS, DELETE_PROFILE)

# Who else has the address in an attribute. It reads every profile: for the one page that asks.
OTHERS = """
SELECT key, id FROM segments_profile
WHERE workspace_id = %(workspace)s AND id <> %(profile)s
    AND lower((attributes ->> %(attribute)s) COLLATE "C") = %(address)s
LIMIT %(most)s
"""

# Profiles that have the address as their key or as a value, alone or in a list: by reading all.
HOLDERS = """
SELECT key, id FROM segments_profile
WHERE workspace_id = %(workspace)s AND (
    lower(key) = ANY (%(addresses)s)
    OR EXISTS (SELECT FROM unnest(%(addresses)s::text[]) address
        WHERE strpos(lower(attributes::text COLLATE "C"), to_jsonb(address)::text) > 0))
LIMIT %(most)s
"""

# How much names somebody without a profile.
KNOWN = f"""
SELECT
    (SELECT count(*) FROM segments_suppression
        WHERE workspace_id = %(workspace)s AND address = ANY (%(addresses)s)),
    (SELECT count(*) FROM segments_segmententry WHERE {ON_LIST}),
    (SELECT count(*) FROM segments_refusedrow WHERE {IN_REFUSED_ROW})
"""  # noqa: S608


def parameters(workspace_id: int, person: Person) -> dict[str, Any]:
    return {
        "workspace": workspace_id,
        "profile": person.profile_id,
        "key": person.key,
        "addresses": list(person.addresses),
        "blanks": BLANKS,
    }
