"""Opt-outs as sets: what was read at the provider becomes what is known."""

READ = """
INSERT INTO read_contact (address, status) SELECT unnest(%(addresses)s::text[]), %(status)s
"""

ADD = """
INSERT INTO exports_optout (workspace_id, account_id, list_id, address, reason, since)
SELECT DISTINCT %(workspace)s, %(account)s, '', lower(address COLLATE "C"),
    'unsubscribed', now()
FROM read_contact WHERE address <> ''
ON CONFLICT DO NOTHING
"""

# Who is not among all that were read has opted in again, if it was known before they were.
FORGET_OTHERS = """
DELETE FROM exports_optout o
WHERE o.workspace_id = %(workspace)s AND o.account_id = %(account)s AND o.list_id = ''
    AND o.since < %(began)s
    AND NOT EXISTS (SELECT 1 FROM read_contact r
        WHERE lower(r.address COLLATE "C") = o.address)
"""

# Whom an export put on the list and who is no longer there. Those that a removal was asked for
# without its outcome being known may be off by that; and what another export was sending when this
# run began may have arrived after the list was read. Rows without a status are of the list.
# Holders and batches are named: joined, they would cost as much as the comparison.
CREATE_OFF_LIST = """
CREATE TEMPORARY TABLE off_list ON COMMIT DROP AS
SELECT DISTINCT d.address
FROM exports_delivery d
WHERE d.workspace_id = %(workspace)s AND d.destination_id = ANY (%(holders)s)
    AND d.refusal = '' AND d.leaving_run_id IS NULL
    AND (d.destination_id = %(destination)s OR d.batch_id IS NULL
        OR d.batch_id <> ALL (ARRAY(SELECT b.id FROM exports_batch b
            WHERE b.workspace_id = %(workspace)s
                AND (b.ended_at IS NULL OR b.ended_at >= %(settled)s))))
    AND NOT EXISTS (SELECT 1 FROM read_contact r
        WHERE lower(r.address COLLATE "C") = d.address AND r.status = '')
    AND NOT EXISTS (SELECT 1 FROM exports_optout o
        WHERE o.workspace_id = %(workspace)s AND o.account_id = %(account)s
            AND o.list_id IN ('', %(list)s) AND o.address = d.address)
"""

IS_ANYBODY_ON_LIST = "SELECT EXISTS (SELECT FROM read_contact WHERE status = '')"

FORGET_COMPARED = "DROP TABLE off_list, read_contact"

COUNT_OFF_LIST = "SELECT count(*) FROM off_list"

OFF_LIST = "SELECT address FROM off_list ORDER BY address"

# A contact that is deleted keeps its address: whoever has none of any kind has another one now.
KEEP_OFF_LIST = """
INSERT INTO exports_optout (workspace_id, account_id, list_id, address, reason, since)
SELECT %(workspace)s, %(account)s, %(list)s, off.address,
    CASE WHEN EXISTS (SELECT 1 FROM read_contact r
        WHERE lower(r.address COLLATE "C") = off.address)
        THEN 'taken_off' ELSE 'changed_at_provider' END,
    now()
FROM off_list off
ON CONFLICT DO NOTHING
"""

# Who is there again was put back by somebody else.
FORGET_RETURNED = """
DELETE FROM exports_optout o USING read_contact r
WHERE o.workspace_id = %(workspace)s AND o.account_id = %(account)s AND o.list_id = %(list)s
    AND lower(r.address COLLATE "C") = o.address AND r.status = ''
"""

# Whether anybody has changed here since, and the list is believed to hold anybody.
TOUCHED_SINCE = """
SELECT EXISTS (SELECT 1 FROM segments_profile
        WHERE workspace_id = %(workspace)s AND updated_at >= %(since)s)
    AND EXISTS (SELECT 1 FROM exports_delivery
        WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s)
"""
