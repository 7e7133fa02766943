"""The ledger's SQL for taking people off the list: who leaves, who is gone, who stays for another.

A leaving delivery carries the number of the run that first asked for it: an earlier one's when its
outcome is not known. An address that another destination of the same list holds stays on the list;
its delivery goes without a request.
"""

_LEAVING = """
    d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.leaving_run_id IS NOT NULL
"""

# Whom another destination of the same account and list still holds. Those are named, so that an
# address is found by the ledger's key: joined, PostgreSQL may read the whole ledger for each.
LET_GO_OF_SHARED = f"""
DELETE FROM exports_delivery d WHERE {_LEAVING} AND EXISTS (
    SELECT 1 FROM exports_delivery other
    WHERE other.workspace_id = %(workspace)s AND other.destination_id = ANY (%(others)s)
        AND other.address = d.address AND other.refusal = '' AND other.leaving_run_id IS NULL)
"""  # noqa: S608 - composed of constants

COUNT = f"SELECT count(*) FROM exports_delivery d WHERE {_LEAVING}"  # noqa: S608

ADDRESSES = f"""
SELECT d.address FROM exports_delivery d
WHERE {_LEAVING} AND d.address > %(after)s ORDER BY d.address LIMIT %(size)s
"""  # noqa: S608

_ABSENT = """
    NOT EXISTS (SELECT 1 FROM known_contact k WHERE k.address = d.address AND k.on_list)
"""

# Whoever left the segments and is not on the list either was taken off it there; should they come
# back to the segments, they are not put back. What an earlier run asked for is no such case.
_KEEP_TAKEN_OFF = f"""
INSERT INTO exports_optout (workspace_id, account_id, list_id, address, reason, since)
SELECT d.workspace_id, %(account)s, %(list)s, d.address, 'taken_off', now()
FROM exports_delivery d
WHERE {_LEAVING} AND d.leaving_run_id = %(run)s AND {{absent}}
    AND NOT EXISTS (SELECT 1 FROM exports_optout o
        WHERE o.workspace_id = %(workspace)s AND o.account_id = %(account)s
            AND o.list_id = '' AND o.address = d.address)
ON CONFLICT DO NOTHING
"""  # noqa: S608

KEEP_TAKEN_OFF = _KEEP_TAKEN_OFF.format(absent=_ABSENT)

KEEP_TAKEN_OFF_OF = _KEEP_TAKEN_OFF.format(absent="d.address = ANY (%(absent)s::text[])")

# Who is off the list is off it for every export that was to take them off.
_LET_GO = f"""
WITH off_for_others AS (
    DELETE FROM exports_delivery other USING exports_delivery d
    WHERE {_LEAVING} AND {{which}} AND other.workspace_id = %(workspace)s
        AND other.destination_id = ANY (%(others)s::bigint[]) AND other.address = d.address
        AND other.leaving_run_id IS NOT NULL
)
DELETE FROM exports_delivery d WHERE {_LEAVING} AND {{which}}
"""  # noqa: S608

# Who is not on the list any more is not to be taken off it, nor to be put anywhere for that.
LET_GO_OF_ABSENT = _LET_GO.format(which=_ABSENT)

LET_GO = _LET_GO.format(which="true")

KEEP = f"UPDATE exports_delivery d SET leaving_run_id = NULL WHERE {_LEAVING}"  # noqa: S608

# What an earlier run asked for stays in doubt.
KEEP_OF_RUN = f"{KEEP} AND d.leaving_run_id = %(run)s"
