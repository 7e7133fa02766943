"""Statements over profiles drawn at random: their cost does not grow with the workspace.

One id is drawn from each of `%(draws)s` equal parts of the workspace's ids. Whoever has it is
looked up by the primary key, so every profile is as likely to be drawn as any other.
"""

BOUNDS = """
SELECT min(id), max(id) FROM segments_profile WHERE workspace_id = %(workspace)s
"""

# The inner LIMIT keeps the planner from joining by a scan of the whole table.
DRAWN = """
(
    SELECT DISTINCT %(first)s + floor(
        (n + random()) * (%(last)s - %(first)s + 1)::float / %(draws)s
    )::bigint AS id
    FROM generate_series(0, %(draws)s - 1) AS n
) AS ids, LATERAL (
    SELECT * FROM segments_profile
    WHERE workspace_id = %(workspace)s AND id = ids.id LIMIT 1
) AS p
"""

# How many were drawn, how many of them meet the condition, and some of those.
ESTIMATE = f"""
SELECT count(*), count(*) FILTER (WHERE met), (array_agg(id) FILTER (WHERE met))[:%(size)s]
FROM (SELECT p.id, {{condition}} AS met FROM {DRAWN} OFFSET 0) AS judged
"""  # noqa: S608 - of parameters

# The values met most often, with how many profiles have each, and how many were looked at. Of a
# list, its texts. Those that begin with what is typed come first.
_VALUES = """
WITH taken AS MATERIALIZED (SELECT p.attributes -> %(name)s AS kept FROM {source}),
counted AS (
    SELECT value, count(*) AS times FROM taken, jsonb_array_elements_text(
        CASE jsonb_typeof(kept) WHEN 'array' THEN kept ELSE jsonb_build_array(kept) END
    ) AS single (value)
    WHERE length(value) BETWEEN 1 AND %(longest)s
        AND strpos(lower(value COLLATE pg_c_utf8), lower(%(typed)s::text COLLATE pg_c_utf8)) > 0
    GROUP BY value
)
SELECT value, times, (SELECT count(*) FROM taken) FROM counted
ORDER BY
    starts_with(lower(value COLLATE pg_c_utf8), lower(%(typed)s::text COLLATE pg_c_utf8)) DESC,
    times DESC, value COLLATE "C"
LIMIT %(most)s
"""
ALL = "segments_profile p WHERE p.workspace_id = %(workspace)s"
VALUES_OF_ALL = _VALUES.format(source=ALL)
VALUES_OF_DRAWN = _VALUES.format(source=DRAWN)

# The least, the middle, what one in ten reach, and the greatest of the numbers, or of the days and
# moments, whose text is in their order.
_SPREAD = """
SELECT percentile_disc(ARRAY[0, 0.5, 0.9, 1]) WITHIN GROUP (ORDER BY value),
    (SELECT count(*) FROM taken)
FROM (SELECT {value} AS value FROM taken) AS values_of_type
"""
_TAKEN = "WITH taken AS MATERIALIZED (SELECT p.attributes -> %(name)s AS kept FROM {source})"
_NUMBER = "CASE jsonb_typeof(kept) WHEN 'number' THEN kept::numeric END"
_DAY = "CASE WHEN kept #>> '{{}}' LIKE '____-__-__%%' THEN (kept #>> '{{}}') COLLATE \"C\" END"
NUMBERS_OF_ALL = (_TAKEN + _SPREAD).format(source=ALL, value=_NUMBER)
NUMBERS_OF_DRAWN = (_TAKEN + _SPREAD).format(source=DRAWN, value=_NUMBER)
DAYS_OF_ALL = (_TAKEN + _SPREAD).format(source=ALL, value=_DAY.format())
DAYS_OF_DRAWN = (_TAKEN + _SPREAD).format(source=DRAWN, value=_DAY.format())
