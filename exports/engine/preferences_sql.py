"""Opt-outs as sets: what was read becomes what is known, and the ledger follows."""

CREATE_READ = "CREATE TEMPORARY TABLE read_optout (address text) ON COMMIT DROP"

COPY_READ = "COPY read_optout (address) FROM STDIN"

ADD = """
INSERT INTO exports_optout (workspace_id, account_id, address)
SELECT DISTINCT %(workspace)s, %(account)s, lower(btrim(address) COLLATE "C") FROM read_optout
ON CONFLICT DO NOTHING
"""

# Who is not among all that were read has opted in again.
FORGET_OTHERS = """
DELETE FROM exports_optout o
WHERE o.workspace_id = %(workspace)s AND o.account_id = %(account)s
    AND NOT EXISTS (SELECT 1 FROM read_optout r
        WHERE lower(btrim(r.address) COLLATE "C") = o.address)
"""

_OF_ACCOUNT = """
    d.workspace_id = %(workspace)s AND d.destination_id IN (
        SELECT id FROM exports_destination
        WHERE workspace_id = %(workspace)s AND delivered_to LIKE %(delivered_to)s)
"""

# Whoever unsubscribed is no longer held: nothing is sent to them, and nothing is taken off.
MARK = f"""
UPDATE exports_delivery d SET refusal = 'unsubscribed'
FROM exports_optout o
WHERE {_OF_ACCOUNT} AND d.refusal <> 'unsubscribed'
    AND o.workspace_id = %(workspace)s AND o.account_id = %(account)s AND o.address = d.address
"""  # noqa: S608 - composed of constants

# Who opted in again is new to every export.
FORGET_RETURNED = f"""
DELETE FROM exports_delivery d
WHERE {_OF_ACCOUNT} AND d.refusal = 'unsubscribed'
    AND NOT EXISTS (SELECT 1 FROM exports_optout o
        WHERE o.workspace_id = %(workspace)s AND o.account_id = %(account)s
            AND o.address = d.address)
"""  # noqa: S608
