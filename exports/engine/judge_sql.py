"""The judging SQL: what becomes of every profile in the selected segments.

The temporary table `planned` has one row for everybody who is judged, numbered by `n` in the order
of their addresses, in which the ledger's key grows. Where there is a ledger, `candidate` comes
first, with one row a profile: `settled` when the ledger says that the provider holds it just as it
is, told by a hash of its values in the one pass over the profiles, so that a run with nothing
changed costs little more than reading them; then `planned` judges all others. Where there is none,
one statement reads and judges, its larger part in several processes. Addresses compare in
collation "C", several times faster than in a language's; a valid one needs no escapes in JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from exports.configuration import Match, RunConfiguration
from segments.erased import is_erased_address
from segments.models import BLANKS, AttributeType
from segments.value_sql import text_of

MAX_ADDRESS_BYTES = 80
ADDRESS = (
    r"^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z][a-z0-9-]*[a-z0-9]$"
)


@dataclass(frozen=True)
class Statement:
    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Judging:
    """The statements that make `candidate`, if it is needed, and `planned`.

    `planned_of_few` makes the same as `planned`, the sooner the fewer are left to be judged.
    """

    candidates: Statement | None
    planned: Statement
    planned_of_few: Statement
    sample_of_settled: Statement | None


@dataclass(frozen=True)
class Known:
    """What there is to judge by: a ledger of the destination, its opted-out taken out or not
    (`tidied`), people who are not to be sent to the list, and what erased addresses are known by.
    """

    ledger: bool
    tidied: bool
    opted_out: bool
    suppressed: bool
    erased: dict[str, Any] | None


def judging(configuration: RunConfiguration, known: Known, *, full: bool) -> Judging:
    """How to judge for this configuration; with `full` nothing counts as settled."""
    parameters: dict[str, Any] = {
        "workspace": configuration.workspace_id,
        "destination": configuration.destination_id or 0,
        "account": configuration.account_id,
        "list": configuration.list_id,
        "segments": list(configuration.segment_ids),
        "email": configuration.email,
        "blanks": BLANKS,
        "address": ADDRESS,
        "max_address": MAX_ADDRESS_BYTES,
        "full": full,
        **(known.erased or {}),
    }
    for number, match in enumerate(configuration.matches):
        parameters[f"attribute_{number}"] = match.attribute
        parameters[f"name_{number}"] = _name(match.field)
        parameters[f"length_{number}"] = match.max_length
        parameters[f"problem_{number}"] = f"field_too_long:{match.field}"
    matches = configuration.matches
    values = [_value(match, number) for number, match in enumerate(matches)]
    columns = [f"v{number}" for number in range(len(matches))]
    carried = "".join(f", {column}" for column in columns)
    payload = _PAYLOAD.format("".join(_member(*pair) for pair in enumerate(matches)))
    read = _VALUES.format(
        columns="".join(f", {v} AS {c}" for v, c in zip(values, columns, strict=True))
    )
    by_ledger = known.ledger and not full
    but = ("" if known.tidied else _BUT_OPTED_OUT) + (_BUT_SUPPRESSED if known.suppressed else "")
    candidates = _CANDIDATES.format(
        values=read, hash=_hash("raw_address", columns), carried=carried, but=but
    )
    contenders = _CONTENDERS if by_ledger else _READ
    parts = {
        "contenders": contenders.format(values=read, carried=carried, address=_ADDRESS),
        "hash": _hash("address", columns),
        "payload": payload,
        "problems": "\n            ".join(_problem(*pair) for pair in enumerate(matches)),
        "said_no": _said_no(known),
        "join_said_no": _JOIN_SAID_NO if known.opted_out or known.suppressed else "",
    }
    held = _HELD if known.ledger else _NONE_HELD
    of_few = _HELD_OF_FEW if known.ledger else _NONE_HELD
    sample = _SAMPLE_OF_SETTLED.format(payload=payload)
    return Judging(
        Statement(candidates, parameters) if by_ledger else None,
        Statement(_PLANNED.format(**parts, **held), parameters),
        Statement(_PLANNED.format(**parts, **of_few), parameters),
        Statement(sample, parameters) if by_ledger else None,
    )


def _said_no(known: Known) -> str:
    said = "no.reason" if known.opted_out or known.suppressed else "NULL::text"
    if known.erased is None:
        return said
    gone = is_erased_address("ranked.address")
    return (
        f"coalesce({said}, CASE WHEN ranked.problem IS NULL AND NOT ranked.twin AND {gone}"
        " THEN 'erased' END)"
    )


def _value(match: Match, number: int) -> str:
    if match.type == AttributeType.LIST:
        return text_of(f"(p.attributes -> %(attribute_{number})s)")
    text = f"p.attributes ->> %(attribute_{number})s"
    return f"left({text}, 10)" if match.kind in ("date", "birthday") else text


def contact_hash(
    address: str, fields: Sequence[str], values: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """The hash by which the ledger knows a contact of these values of its fields, as SQL."""
    return _hash(address, values), {f"name_{n}": _name(field) for n, field in enumerate(fields)}


def _name(field: str) -> str:
    return f",{orjson.dumps(field).decode()}:"


def _hash(address: str, values: Sequence[str]) -> str:
    """What is sent, as a number: the same for the same contact, whatever attributes it is from."""
    parts = "".join(f" || coalesce(%(name_{n})s || ({v}), '')" for n, v in enumerate(values))
    return f"hashtextextended({address}{parts}, 0)"


def _member(number: int, match: Match) -> str:
    column = f"v{number}"
    if match.kind == "birthday":
        return (
            f""" || coalesce(',"birthday_month":' || substr({column}, 6, 2)::int"""
            f""" || ',"birthday_day":' || substr({column}, 9, 2)::int, '')"""
        )
    return f" || coalesce(%(name_{number})s || to_json({column})::text, '')"


def _problem(number: int, match: Match) -> str:
    if match.kind != "text":
        return ""
    return f"WHEN char_length(v{number}) > %(length_{number})s THEN %(problem_{number})s"


_PAYLOAD = """'{{"email":"' || address || '"'{} || '}}'"""

# `OFFSET '0'` keeps an expression from being evaluated wherever its name is used. A 0 without the
# quotes would also leave the rest of the statement to one process. Members are asked for with `IN`,
# so that it is their ids that are hashed: of a join PostgreSQL hashes the profiles, whole.
_VALUES = """
        SELECT p.id, p.key, p.updated_at,
            lower((p.attributes ->> %(email)s) COLLATE "C") AS raw_address{columns}
        FROM segments_profile p
        WHERE p.workspace_id = %(workspace)s AND p.id IN (
            SELECT profile_id FROM segments_segmentmember
            WHERE workspace_id = %(workspace)s AND segment_id = ANY (%(segments)s::bigint[]))
        OFFSET '0'"""

# Of the ledger's rows only what is compared is joined: the address is in the hash.
_CANDIDATES = """
CREATE TEMPORARY TABLE candidate ON COMMIT DROP AS
SELECT found.id, found.key, found.updated_at, found.raw_address,
    d.profile_id IS NOT NULL OR found.raw_address ~ %(address)s AS well_formed,
    d.profile_id IS NOT NULL AS settled, d.payload_hash AS held_hash{carried}
FROM (
    SELECT *, {hash} AS value_hash
    FROM ({values}
    ) valued
    OFFSET '0'
) found
LEFT JOIN exports_delivery d
    ON d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.refusal = '' AND d.leaving_run_id IS NULL
    AND d.profile_id = found.id AND d.payload_hash = found.value_hash{but}
"""

_BUT_OPTED_OUT = """
    AND d.address NOT IN (SELECT address FROM exports_optout
        WHERE workspace_id = %(workspace)s AND account_id = %(account)s
            AND list_id IN ('', %(list)s))"""

_BUT_SUPPRESSED = """
    AND d.address NOT IN (SELECT address FROM segments_suppression
        WHERE workspace_id = %(workspace)s)"""

_ADDRESS = "CASE WHEN well_formed THEN raw_address ELSE btrim(raw_address, %(blanks)s) END"

_READ = """
    SELECT id, key, updated_at, {address} AS address, well_formed, false AS settled,
        NULL::bigint AS held_hash{carried}
    FROM (
    SELECT *, raw_address ~ %(address)s AS well_formed
    FROM ({values}
    ) found
    OFFSET '0'
    ) formed
    OFFSET '0'"""

# A settled one who shares an address with somebody to be judged is judged again, with them.
_CONTENDERS = """
    SELECT id, key, updated_at, {address} AS address, well_formed, settled, held_hash{carried}
    FROM candidate WHERE NOT settled
    UNION ALL
    SELECT id, key, updated_at, raw_address, well_formed, settled, held_hash{carried}
    FROM candidate WHERE settled AND raw_address IN (
        SELECT {address} FROM candidate WHERE NOT settled)"""

_HELD = {
    "held": """d.payload_hash AS known_hash, coalesce(d.refusal, '') AS refusal,
        d.leaving_run_id IS NOT NULL AS in_doubt""",
    "join_held": """LEFT JOIN exports_delivery d
        ON d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = ranked.address AND ranked.problem IS NULL AND NOT ranked.twin""",
}

# The ledger looked into for each, by its key, where a join would read and hash the whole of it.
_HELD_OF_FEW = {
    **_HELD,
    "join_held": """LEFT JOIN LATERAL (
        SELECT payload_hash, refusal, leaving_run_id FROM exports_delivery
        WHERE workspace_id = %(workspace)s AND destination_id = %(destination)s
            AND address = ranked.address
        OFFSET '0'
    ) d ON ranked.problem IS NULL AND NOT ranked.twin""",
}

_NONE_HELD = {
    "held": "NULL::bigint AS known_hash, '' AS refusal, false AS in_doubt",
    "join_held": "",
}

_JOIN_SAID_NO = """LEFT JOIN (
        SELECT address, max(reason) AS reason FROM (
            SELECT address, reason FROM exports_optout
            WHERE workspace_id = %(workspace)s AND account_id = %(account)s
                AND list_id IN ('', %(list)s)
            UNION ALL
            SELECT address, 'suppressed' FROM segments_suppression
            WHERE workspace_id = %(workspace)s
        ) nos
        GROUP BY address
    ) no ON no.address = ranked.address AND ranked.problem IS NULL AND NOT ranked.twin"""

# Of those who share an address the first counts, and those whose values can't be sent come last.
_PLANNED = """
CREATE TEMPORARY TABLE planned ON COMMIT DROP AS
WITH contender AS ({contenders}
), checked AS (
    SELECT *,
        CASE
            WHEN settled THEN NULL
            WHEN address IS NULL OR address = '' THEN 'no_address'
            WHEN octet_length(address) > %(max_address)s OR strpos(address, '@') > 65
                THEN CASE WHEN address ~ '[^ -~]' THEN 'not_ascii' ELSE 'address_too_long' END
            WHEN NOT well_formed AND address !~ %(address)s
                THEN CASE WHEN address ~ '[^ -~]' THEN 'not_ascii' ELSE 'malformed_address' END
            {problems}
        END AS problem
    FROM contender
    OFFSET '0'
), written AS (
    SELECT id, key, updated_at, address, settled, problem,
        CASE WHEN settled THEN held_hash ELSE {hash} END AS payload_hash,
        CASE WHEN problem IS NULL AND NOT settled THEN {payload} END AS payload
    FROM checked
    OFFSET '0'
), ranked AS (
    SELECT *,
        row_number() OVER by_address AS n,
        coalesce(lag(address) OVER by_address = address, false) AS twin
    FROM written
    WINDOW by_address AS (ORDER BY address, problem IS NOT NULL, updated_at DESC, key)
), compared AS (
    SELECT ranked.*, {held}, {said_no} AS said_no
    FROM ranked
    {join_held}
    {join_said_no}
), fated AS (
    SELECT *,
        CASE
            WHEN problem IS NOT NULL THEN 'invalid'
            WHEN twin THEN 'duplicate'
            WHEN said_no IS NOT NULL OR refusal = 'on_hold' THEN 'suppressed'
            WHEN refusal <> '' AND known_hash = payload_hash AND NOT %(full)s THEN 'rejected'
            WHEN known_hash IS NULL OR refusal <> '' THEN 'added'
            WHEN known_hash = payload_hash AND NOT in_doubt AND NOT %(full)s THEN 'unchanged'
            ELSE 'changed'
        END AS fate
    FROM compared
    OFFSET '0'
)
SELECT n, id, key, address, fate, settled, payload_hash,
    CASE fate
        WHEN 'invalid' THEN problem
        WHEN 'suppressed' THEN coalesce(said_no, refusal)
        WHEN 'rejected' THEN refusal
    END AS reason,
    CASE WHEN fate IN ('added', 'changed', 'unchanged') THEN payload END AS payload
FROM fated
"""

# A twin is told the key of whoever stands for its address.
NAME_WINNERS = """
UPDATE planned twin SET reason = 'duplicate_address:' || winner.key
FROM planned winner
WHERE twin.fate = 'duplicate' AND winner.address = twin.address
    AND winner.fate NOT IN ('duplicate', 'invalid')
"""

_SAMPLE_OF_SETTLED = """
SELECT {payload} FROM (
    SELECT *, raw_address AS address FROM candidate WHERE settled
    ORDER BY raw_address LIMIT %(size)s
) held
"""

# Counts of `SLICE` neighbours each, from which the batches are cut.
SLICE = 256
COUNT = f"""
SELECT fate, settled, n / {SLICE} AS slice, count(*), coalesce(sum(octet_length(payload) + 1), 0)
FROM planned GROUP BY fate, settled, slice
"""  # noqa: S608 - of a constant

COUNT_SETTLED = """
SELECT count(*) FILTER (WHERE settled), count(*) FILTER (WHERE NOT settled) FROM candidate
"""
