"""What an erasure takes out of the profiles' own tables: each statement finds one person's rows."""

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

LEAVE_LISTS = """
WITH gone AS (
    DELETE FROM segments_segmententry
    WHERE workspace_id = %(workspace)s AND (
        btrim(value, %(blanks)s) = %(key)s
        OR lower(btrim(value, %(blanks)s)) = ANY (%(addresses)s))
    RETURNING segment_id
), counted AS (
    SELECT segment_id, count(*) AS entries FROM gone GROUP BY segment_id
)
UPDATE segments_segment s SET entry_count = greatest(0, s.entry_count - counted.entries)
FROM counted WHERE s.workspace_id = %(workspace)s AND s.id = counted.segment_id
"""

FORGET_SUPPRESSIONS = """
DELETE FROM segments_suppression
WHERE workspace_id = %(workspace)s AND address = ANY (%(addresses)s)
"""

# A refused row is told from others by the cell that was refused, so only that can name a person.
BLANK_REFUSED_ROWS = """
UPDATE segments_refusedrow SET value = ''
WHERE workspace_id = %(workspace)s AND value <> '' AND (
    btrim(value, %(blanks)s) = %(key)s
    OR EXISTS (SELECT FROM unnest(%(addresses)s::text[]) address
        WHERE strpos(lower(value), address) > 0))
"""

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
