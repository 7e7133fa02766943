"""The statements that compute and keep who is in a segment.

`{condition}` is what `segments.rule_sql` compiles; everything else is a parameter.
"""

# One scan, which PostgreSQL spreads over its parallel workers; what follows works on the outcome.
MATCH = """
CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
SELECT p.id FROM segments_profile p WHERE p.workspace_id = %(workspace)s AND {condition}
"""

COUNT_MATCHED = "SELECT count(*) FROM matched"

HAS_MEMBERS = """
SELECT EXISTS (SELECT 1 FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s)
"""

# Who is in no more leaves.
LEAVE = """
DELETE FROM segments_segmentmember m
WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s
    AND NOT EXISTS (SELECT 1 FROM matched WHERE matched.id = m.profile_id)
"""

# Who was not in yet joins.
JOIN = """
INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)
SELECT %(workspace)s, %(segment)s, matched.id FROM matched
WHERE NOT EXISTS (SELECT 1 FROM segments_segmentmember m
    WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s
        AND m.profile_id = matched.id)
ORDER BY matched.id
"""

# The first time nobody has to be looked for. In order, the index only grows at its end.
JOIN_ALL = """
INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)
SELECT %(workspace)s, %(segment)s, matched.id FROM matched ORDER BY matched.id
"""

TOTAL = "SELECT count(*) FROM segments_profile WHERE workspace_id = %(workspace)s"

# How many meet each rule, and how many the rules so far keep together, in a single scan.
COUNT_RULES = """
SELECT count(*), {counts} FROM (
    SELECT {conditions} FROM segments_profile p WHERE p.workspace_id = %(workspace)s
    OFFSET 0
) met
"""

# How many, and one of each of 512 parts of the ids: count and sample in a single scan.
COUNT_AND_SAMPLE = """
SELECT count(*), min(p.id) FROM segments_profile p
WHERE p.workspace_id = %(workspace)s AND {condition}
GROUP BY p.id %% 512
"""

SAMPLE = """
SELECT p.id FROM segments_profile p
WHERE p.workspace_id = %(workspace)s AND {condition} LIMIT %(size)s
"""

# Ends a look that the same page asked for before, and waits for no more.
CANCEL_OLDER_LOOK = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE application_name = %(name)s AND pid <> pg_backend_pid() AND datname = current_database()
    AND usename = current_user AND state = 'active'
"""
