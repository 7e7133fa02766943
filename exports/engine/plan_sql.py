"""The plan's SQL: batches, ledger and rejections, from the table `planned` that judging made."""

# The rows lie in the order of their numbers.
INDEX_PLANNED = "CREATE INDEX planned_n ON planned USING brin (n) WITH (pages_per_range = 32)"

SIZES = """
SELECT n, octet_length(payload) + 1 FROM planned
WHERE fate IN ('added', 'changed') AND n > %(after)s AND n <= %(last)s ORDER BY n
"""

INSERT_BATCH = """
WITH gathered AS MATERIALIZED (
    SELECT count(*) AS contacts, count(*) FILTER (WHERE fate = 'added') AS added,
        array_agg(address ORDER BY n) AS addresses, array_agg(id ORDER BY n) AS profile_ids,
        array_agg(payload_hash ORDER BY n) AS payload_hashes,
        convert_to(%(head)s || string_agg(payload, ',' ORDER BY n) || %(tail)s, 'UTF8') AS body
    FROM planned
    WHERE fate IN ('added', 'changed') AND n > %(after)s AND n <= %(last)s
), written AS (
    INSERT INTO exports_batch (
        workspace_id, run_id, number, state, failure, why, contacts, added, body, body_bytes,
        activity_id, activity, attempts, rejected)
    SELECT %(workspace)s, %(run)s, %(number)s, 'planned', '', '{}', contacts, added, body,
        octet_length(body), '', '{}', 0, 0
    FROM gathered
    RETURNING id
)
INSERT INTO exports_batchcontacts (
    workspace_id, batch_id, addresses, profile_ids, payload_hashes)
SELECT %(workspace)s, written.id, addresses, profile_ids, payload_hashes FROM written, gathered
"""

# Another profile stands for the address now, with the same data: nothing to send.
CHANGE_OWNERS = """
UPDATE exports_delivery d SET profile_id = planned.id
FROM planned
WHERE planned.fate = 'unchanged' AND NOT planned.settled
    AND d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.address = planned.address AND d.profile_id <> planned.id
"""

# Whether anybody new to this destination is held by another one of the same list.
ADDS_WHOM_ANOTHER_HOLDS = """
SELECT EXISTS (SELECT 1 FROM planned p
    JOIN exports_delivery d ON d.workspace_id = %(workspace)s
        AND d.destination_id = ANY (%(others)s::bigint[]) AND d.address = p.address
        AND d.refusal = '' AND d.leaving_run_id IS NULL
    WHERE p.fate = 'added')
"""

# Those whom no other destination of the account holds: contacts that it may not have yet.
COUNT_NEW_TO_ACCOUNT = """
SELECT count(*) FROM planned p
WHERE p.fate = 'added' AND NOT EXISTS (SELECT 1 FROM exports_delivery d
    WHERE d.workspace_id = %(workspace)s AND d.destination_id = ANY (%(others)s::bigint[])
        AND d.address = p.address AND d.refusal = '')
"""

HAS_LEDGER = """
SELECT EXISTS (SELECT 1 FROM exports_delivery d
    WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s)
"""

_OPTED_OUT = """
    o.workspace_id = %(workspace)s AND o.account_id = %(account)s
    AND o.list_id IN ('', %(list)s) AND o.address = d.address
"""

# Whoever opted out is no longer held: should they return, they are new, and nobody's to take off.
LET_GO_OF_OPTED_OUT = f"""
DELETE FROM exports_delivery d USING exports_optout o
WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s AND {_OPTED_OUT}
"""  # noqa: S608 - composed of constants

# Whom the list got from this destination, and still has.
_HELD = f"""
    d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s AND d.refusal = ''
    AND NOT EXISTS (SELECT 1 FROM exports_optout o WHERE {_OPTED_OUT})
"""  # noqa: S608

COUNT_HELD = f"SELECT count(*) FROM exports_delivery d WHERE {_HELD}"  # noqa: S608

_LEAVING = f"""
    {_HELD}
    AND NOT EXISTS (SELECT 1 FROM planned p
        WHERE p.address = d.address AND p.fate IN ('added', 'changed', 'unchanged'))
    {{unless}}
"""  # noqa: S608

UNLESS_SETTLED = """
    AND NOT EXISTS (SELECT 1 FROM candidate c WHERE c.settled AND c.raw_address = d.address)
"""

SAMPLE_OF_LEAVING = f"""
SELECT d.address FROM exports_delivery d WHERE {_LEAVING} ORDER BY d.address LIMIT %(size)s
"""  # noqa: S608 - composed of constants

MARK_LEAVING = f"""
UPDATE exports_delivery d SET leaving_run_id = %(run)s
WHERE {_LEAVING} AND d.leaving_run_id IS NULL
"""  # noqa: S608

INSERT_REJECTIONS = """
INSERT INTO exports_rejection (
    workspace_id, run_id, profile_id, profile_key, address, kind, reason, detail)
SELECT %(workspace)s, %(run)s, id, key, coalesce(address, ''), fate,
    split_part(reason, ':', 1), substr(reason, length(split_part(reason, ':', 1)) + 2)
FROM planned WHERE fate IN ('invalid', 'duplicate', 'suppressed', 'rejected')
"""

SAMPLE_OF_CONTACTS = """
SELECT payload FROM planned WHERE fate IN ('added', 'changed', 'unchanged') AND NOT settled
ORDER BY fate = 'unchanged', n LIMIT %(size)s
"""

# Some of every reason that there is.
SAMPLE_OF_REJECTIONS = """
WITH left_out AS (
    SELECT id, key, coalesce(address, '') AS address, fate, split_part(reason, ':', 1) AS code,
        substr(reason, length(split_part(reason, ':', 1)) + 2) AS detail
    FROM planned WHERE fate IN ('invalid', 'duplicate', 'suppressed', 'rejected')
), chosen AS (
    SELECT *, row_number() OVER (PARTITION BY fate, code ORDER BY key) AS nth FROM left_out
    ORDER BY nth, fate, code LIMIT %(size)s
)
SELECT id, key, address, fate, code, detail FROM chosen ORDER BY fate, code, key
"""
