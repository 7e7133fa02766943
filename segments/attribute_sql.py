"""The statements about one attribute's values in all profiles, and about many attributes' shares.

`%(name)s` is the attribute's name. Each is one pass over the workspace's profiles, but for those on
a sample, which read so many rows only.
"""

from segments.sampling_sql import ALL, DRAWN
from segments.value_sql import text_of

_VALUE = "(p.attributes -> %(name)s)"

# Every value as text, with whose it is.
COPY_OUT = f"""
COPY (
    SELECT p.id, p.key, {text_of(_VALUE)} FROM segments_profile p
    WHERE p.workspace_id = %(workspace)s AND p.attributes ? %(name)s LIMIT %(most)s
) TO STDOUT (FORMAT csv, FORCE_QUOTE *)
"""  # noqa: S608 - of an expression of ours

CREATE_CONVERTED = "CREATE TEMPORARY TABLE converted (id bigint, value jsonb) ON COMMIT DROP"

COPY_CONVERTED = "COPY converted FROM STDIN (FORMAT csv)"

# Profiles whose value stays the same are not rewritten; `updated_at` moves with the text only.
CONVERT = f"""
UPDATE segments_profile p
SET attributes = CASE
        WHEN converted.value IS NULL THEN p.attributes - %(name)s::text
        ELSE p.attributes || jsonb_build_object(%(name)s::text, converted.value)
    END,
    updated_at = CASE
        WHEN {text_of(_VALUE)} IS DISTINCT FROM {text_of("converted.value")} THEN %(now)s
        ELSE p.updated_at
    END
FROM converted
WHERE p.workspace_id = %(workspace)s AND p.id = converted.id
    AND {_VALUE} IS DISTINCT FROM converted.value
"""  # noqa: S608 - of expressions of ours

REMOVE = """
UPDATE segments_profile p
SET attributes = p.attributes - %(name)s::text, updated_at = %(now)s
WHERE p.workspace_id = %(workspace)s AND p.attributes ? %(name)s
"""

# For each attribute how many have it, and the values met most often. A row of nulls for none.
_FACTS = f"""
WITH taken AS MATERIALIZED (SELECT p.attributes FROM {{source}}),
counted AS (
    SELECT name, taken.attributes -> name AS kept, count(*) AS times
    FROM taken CROSS JOIN unnest(%(names)s::text[]) AS wanted (name)
    WHERE taken.attributes -> name IS NOT NULL
    GROUP BY 1, 2
),
ranked AS (
    SELECT *, sum(times) OVER (PARTITION BY name) AS filled,
        row_number() OVER (PARTITION BY name ORDER BY times DESC, kept::text COLLATE "C") AS place
    FROM counted
)
SELECT looked_at, name, filled, left({text_of("kept")}, %(longest)s), times
FROM (SELECT count(*) AS looked_at FROM taken) AS all_of_them
LEFT JOIN ranked ON place <= %(shown)s
ORDER BY name, place
"""  # noqa: S608 - of expressions of ours
FACTS_OF_ALL = _FACTS.replace("{source}", ALL)
FACTS_OF_DRAWN = _FACTS.replace("{source}", DRAWN)
