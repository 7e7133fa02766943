"""The statements that look at one attribute of all profiles: one scan each, in parallel.

`{value}` is the attribute's value as SQL over `segments_profile p`, `{key}` what makes two values
one.
"""

# How many have each value; first how many have none, then the most frequent.
TOP_VALUES = """
SELECT value, size FROM (
    SELECT {key} AS key, min(value COLLATE "C") AS value, count(*) AS size
    FROM (
        SELECT {value} AS value FROM segments_profile p WHERE p.workspace_id = %(workspace)s
    ) taken
    GROUP BY 1
) counted
ORDER BY key IS NULL DESC, size DESC, key LIMIT %(most)s
"""

# Of lists: how many profiles have each text in theirs, whatever its case.
TOP_ITEMS = """
SELECT min(item.value), count(*) AS size FROM segments_profile p
CROSS JOIN LATERAL (
    SELECT lower(kept.value COLLATE pg_c_utf8) AS key, min(kept.value COLLATE "C") AS value
    FROM jsonb_array_elements_text(CASE jsonb_typeof(p.attributes -> %(name)s)
        WHEN 'array' THEN p.attributes -> %(name)s END) AS kept (value)
    GROUP BY 1
) item
WHERE p.workspace_id = %(workspace)s
GROUP BY item.key ORDER BY size DESC, item.key LIMIT %(most)s
"""

EMPTY = """
SELECT count(*) FROM segments_profile p
WHERE p.workspace_id = %(workspace)s AND p.attributes ->> %(name)s IS NULL
"""

# Every value with its size, in the order of the values; for those of which there are few.
ALL_VALUES = """
SELECT value, count(*) FROM (
    SELECT {value} AS value FROM segments_profile p WHERE p.workspace_id = %(workspace)s
) taken
GROUP BY value ORDER BY value NULLS FIRST
"""

# Tenths of the profiles by their value: the least and most value of each, its size, and how many
# values there are in it. Profiles with one value are never parted. First those without a value.
TENTHS = """
WITH counted AS MATERIALIZED (
    SELECT value, count(*) AS size FROM (
        SELECT {value} AS value FROM segments_profile p WHERE p.workspace_id = %(workspace)s
    ) taken
    GROUP BY value
), placed AS (
    SELECT value, size, sum(size) OVER (ORDER BY value) - size AS before,
        sum(size) OVER () AS total
    FROM counted WHERE value IS NOT NULL
)
SELECT NULL AS least, NULL AS most, size, 0 AS kinds FROM counted WHERE value IS NULL
UNION ALL (
    SELECT min(value), max(value), sum(size), count(*) FROM placed
    GROUP BY floor(before * 10 / total) ORDER BY 1
)
"""

TOTAL = "SELECT count(*) FROM segments_profile WHERE workspace_id = %(workspace)s"
