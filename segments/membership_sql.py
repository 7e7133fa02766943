"""The statements that compute and keep who is in a segment.

`{condition}` is what `segments.rule_sql` compiles; everything else is a parameter.
"""

# One scan, which PostgreSQL spreads over its parallel workers; what follows works on the outcome.
MATCH = """
CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
SELECT p.id FROM segments_profile p WHERE p.workspace_id = %(workspace)s AND {condition}
"""

HAS_MEMBERS = """
SELECT EXISTS (SELECT 1 FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s)
"""

# Who is in no more leaves, and that is kept.
LEAVE = """
WITH gone AS (
    DELETE FROM segments_segmentmember m
    WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s
        AND NOT EXISTS (SELECT 1 FROM matched WHERE matched.id = m.profile_id)
    RETURNING m.profile_id
)
INSERT INTO segments_segmentchange (workspace_id, segment_id, refresh_id, profile_id, joined)
SELECT %(workspace)s, %(segment)s, %(refresh)s, profile_id, false FROM gone ORDER BY profile_id
"""

# Who was not in yet joins, and that is kept.
JOIN = """
WITH come AS (
    INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)
    SELECT %(workspace)s, %(segment)s, matched.id FROM matched
    WHERE NOT EXISTS (SELECT 1 FROM segments_segmentmember m
        WHERE m.workspace_id = %(workspace)s AND m.segment_id = %(segment)s
            AND m.profile_id = matched.id)
    ORDER BY matched.id
    RETURNING profile_id
)
INSERT INTO segments_segmentchange (workspace_id, segment_id, refresh_id, profile_id, joined)
SELECT %(workspace)s, %(segment)s, %(refresh)s, profile_id, true FROM come ORDER BY profile_id
"""

# The first time nobody has to be looked for, and everybody's joining says nothing that the
# members don't. In order, the index only grows at its end.
JOIN_ALL = """
INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)
SELECT %(workspace)s, %(segment)s, matched.id FROM matched ORDER BY matched.id
"""

# The refreshes whose changes are more than are kept, counted from the newest; that one stays.
TOO_OLD = """
SELECT id FROM (
    SELECT id, row_number() OVER newest AS place,
        sum(joined + "left") OVER (newest ROWS UNBOUNDED PRECEDING) AS changes
    FROM segments_segmentrefresh
    WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s AND keeps_changes
    WINDOW newest AS (ORDER BY id DESC)
) kept
WHERE place > 1 AND (place > %(refreshes)s OR changes > %(changes)s)
"""

FORGET_CHANGES = """
DELETE FROM segments_segmentchange
WHERE workspace_id = %(workspace)s AND segment_id = %(segment)s AND refresh_id = ANY (%(old)s)
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
WHERE starts_with(application_name, %(of_the_page)s)
    AND application_name COLLATE "C" < %(name)s AND datname = current_database()
    AND usename = current_user AND state = 'active'
"""

# The last few sizes of each of some segments: by the index of the history, a few rows each.
RECENT_COUNTS = """
SELECT wanted.id, last.count, last.joined, last."left"
FROM unnest(%(segments)s) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT r.at, r.count, r.joined, r."left" FROM segments_segmentrefresh r
    WHERE r.workspace_id = %(workspace)s AND r.segment_id = wanted.id AND r.succeeded
    ORDER BY r.at DESC LIMIT %(most)s
) last
ORDER BY wanted.id, last.at
"""

# Of each segment of a profile: the refresh at which it last joined, if that is still kept; and the
# last refresh before what is kept of joining and leaving, with whether it was the first of all.
# A look at the key for each refresh that is kept of each segment.
SINCE = """
SELECT mine.segment_id, joined.at, before.at, before.is_first
FROM segments_segmentmember mine
LEFT JOIN LATERAL (
    SELECT r.at FROM segments_segmentrefresh r
    JOIN segments_segmentchange c ON c.workspace_id = r.workspace_id
        AND c.segment_id = r.segment_id AND c.refresh_id = r.id AND c.profile_id = mine.profile_id
    WHERE r.workspace_id = mine.workspace_id AND r.segment_id = mine.segment_id
        AND r.keeps_changes AND c.joined
    ORDER BY r.id DESC LIMIT 1
) joined ON true
LEFT JOIN LATERAL (
    SELECT r.at, row_number() OVER (ORDER BY r.id) = 1 AS is_first
    FROM segments_segmentrefresh r
    WHERE r.workspace_id = mine.workspace_id AND r.segment_id = mine.segment_id
        AND r.succeeded AND NOT r.keeps_changes
    ORDER BY r.id DESC LIMIT 1
) before ON joined.at IS NULL
WHERE mine.workspace_id = %(workspace)s AND mine.profile_id = %(profile)s
    AND mine.segment_id = ANY (ARRAY(
        SELECT id FROM segments_segment WHERE workspace_id = %(workspace)s))
"""

# How many are in just which of some segments: one pass over their members, by the primary key.
OVERLAP = """
SELECT part, count(*) FROM (
    SELECT sum(wanted.bit)::int AS part FROM segments_segmentmember m
    JOIN unnest(%(segments)s, %(bits)s) AS wanted (id, bit) ON wanted.id = m.segment_id
    WHERE m.workspace_id = %(workspace)s AND m.segment_id = ANY (%(segments)s)
    GROUP BY m.profile_id
) parts
GROUP BY part
"""
