"""Who was erased and does not come back: known by keyed hashes of their key and addresses alone.

The hashes are HMAC-SHA-256 with a secret of the workspace's own. PostgreSQL computes them too,
with its built-in `sha256()` over the two blocks that HMAC makes of the secret, so that a million
rows are compared where they are. Without an erasure in the workspace none of it costs anything.
"""

import hmac
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import connection

from config import cipher
from segments.models import BLANKS, ErasedIdentity, ErasureSecret

SECRET_BYTES = 32
_BLOCK_BYTES = 64

_DIGEST = "sha256(%(outer)s || sha256(%(inner)s || convert_to({}, 'UTF8')))"

_AMONG = """{digest} IN (
        SELECT digest FROM segments_erasedidentity WHERE workspace_id = %(workspace)s)"""


def _is_erased(identity: str) -> str:
    return _AMONG.format(digest=_DIGEST.format(identity))


_ADDRESS_OF = """'address:' || lower(btrim({}, %(blanks)s) COLLATE "C")"""

_KEY_OF = "'key:' || btrim({}, %(blanks)s)"


def is_erased_address(address: str) -> str:
    """SQL: whether an expression is an erased address. Its parameters are those of `parameters`."""
    return _is_erased(_ADDRESS_OF.format(address))


# One pass over the rows and what of them may be an identity, compared as a set.
DROP_STAGED = f"""
WITH met AS (
    SELECT DISTINCT place FROM (
        SELECT s.ctid AS place, 'key:' || s.key AS identity FROM staged s
        UNION ALL
        SELECT s.ctid, {_ADDRESS_OF.format("s.key")} FROM staged s WHERE s.key LIKE '%%@%%'
        UNION ALL
        SELECT s.ctid, {_ADDRESS_OF.format("found.value #>> '{}'")}
        FROM staged s, jsonb_path_query(s.attributes, '$.* ? (@ like_regex "@")') found (value)
    ) named
    WHERE {_is_erased("identity")}
)
DELETE FROM staged s USING met WHERE s.ctid = met.place
"""  # noqa: S608 - composed of constants

BLANK_REFUSED = f"""
UPDATE refused_staged SET said = ''
WHERE {is_erased_address("said")} OR {_is_erased(_KEY_OF.format("said"))}
"""  # noqa: S608

# Of a row that is no longer there, not even its place in the file is told.
KEEP_REFUSED = """
INSERT INTO segments_refusedrow (
    workspace_id, source_import_id, row_number, "column", value, reason)
SELECT %(workspace)s, %(import)s, 0, '', '', 'erased' FROM generate_series(1, %(count)s)
"""


def plain_address(text: str) -> str:
    """An address as it is hashed: without blanks around it, its ASCII letters small."""
    return text.strip(BLANKS).encode().lower().decode()


def add(workspace_id: int, erasure_id: int, key: str, addresses: Iterable[str]) -> None:
    """From now on they do not come back. Belongs in the transaction that erases them."""
    secret = _secret(workspace_id) or _make_secret(workspace_id)
    identities = [f"key:{key}", *(f"address:{plain_address(one)}" for one in addresses)]
    rows = [
        ErasedIdentity(
            workspace_id=workspace_id,
            digest=hmac.digest(secret, identity.encode(), "sha256"),
            erasure_id=erasure_id,
        )
        for identity in identities
    ]
    ErasedIdentity.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["workspace", "digest"],
        update_fields=["erasure"],
    )


def is_known(workspace_id: int, address: str) -> bool:
    """Whether the address was erased here."""
    secret = _secret(workspace_id) if anybody(workspace_id) else None
    if secret is None:
        return False
    digest = hmac.digest(secret, f"address:{plain_address(address)}".encode(), "sha256")
    return ErasedIdentity.objects.filter(workspace_id=workspace_id, digest=digest).exists()


def anybody(workspace_id: int) -> bool:
    return ErasedIdentity.objects.filter(workspace_id=workspace_id).exists()


def parameters(workspace_id: int) -> dict[str, Any] | None:
    """What the SQL needs to compare with; None when nobody was erased in the workspace.

    Raises `cipher.Unreadable` when none of TOKEN_ENCRYPTION_KEYS opens the secret: nobody may
    come back for that.
    """
    if not anybody(workspace_id):
        return None
    secret = _secret(workspace_id)
    if secret is None:
        raise cipher.Unreadable
    block = secret.ljust(_BLOCK_BYTES, b"\0")
    return {
        "workspace": workspace_id,
        "inner": bytes(byte ^ 0x36 for byte in block),
        "outer": bytes(byte ^ 0x5C for byte in block),
        "blanks": BLANKS,
    }


def drop_staged(workspace_id: int) -> int:
    """Takes the erased out of the rows that an import has staged; how many there were.

    After the lock that imports and erasures share: whoever was erased by then is known.
    """
    known = parameters(workspace_id)
    if known is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(DROP_STAGED, known)
        return int(cursor.rowcount)


def blank_refused(workspace_id: int) -> None:
    """Takes the erased out of the values for which rows of an import are refused."""
    known = parameters(workspace_id)
    if known is not None:
        with connection.cursor() as cursor:
            cursor.execute(BLANK_REFUSED, known)


def keep_refused(workspace_id: int, import_id: int, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP_REFUSED, {"workspace": workspace_id, "import": import_id, "count": count}
        )


def drop_addresses(workspace_id: int, table: str) -> None:
    """Takes erased addresses out of a table with a column `address`."""
    known = parameters(workspace_id)
    if known is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} t WHERE {is_erased_address('t.address')}",  # noqa: S608
                known,
            )


def drop_values(workspace_id: int, table: str) -> None:
    """Takes erased keys and addresses out of a table with a column `value`."""
    known = parameters(workspace_id)
    if known is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} t WHERE {is_erased_address('t.value')}"  # noqa: S608
                f" OR {_is_erased(_KEY_OF.format('t.value'))}",
                known,
            )


def renew_secret(secret: ErasureSecret) -> None:
    """Encrypts it with the key in use now, so that an earlier one is needed no longer."""
    secret.secret = cipher.encrypt(cipher.decrypt(secret.secret))
    secret.save(update_fields=["secret"])


def _secret(workspace_id: int) -> bytes | None:
    kept = ErasureSecret.objects.filter(workspace_id=workspace_id).first()
    return bytes.fromhex(cipher.decrypt(kept.secret)) if kept else None


def _make_secret(workspace_id: int) -> bytes:
    secret = secrets.token_bytes(SECRET_BYTES)
    ErasureSecret.objects.create(workspace_id=workspace_id, secret=cipher.encrypt(secret.hex()))
    return secret
