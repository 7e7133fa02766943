"""A POST to wherever a member says, and to nowhere that only this system can reach.

The address is checked and then connected to as it was checked, whatever the DNS says a moment
later; no redirect is followed, no proxy asked, and next to nothing of the answer is read.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import certifi
import urllib3
from django.conf import settings

from config import addresses
from workspaces.sentences import Explained, Sentence
from workspaces.sentences import gettext as _

SECONDS = urllib3.Timeout(connect=5, read=10)
MOST_OF_ANSWER = 1024


class Unreachable(Explained):
    """Why nothing was sent, or no answer came; the message is for people."""


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str


def target(url: str) -> Target:
    """Takes the address apart. Raises `Unreachable` for what is none to send to."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Unreachable(_not_an_address()) from None
    private = settings.WEBHOOKS_ALLOW_PRIVATE
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise Unreachable(_("The address must begin with https://."))
    if not parts.hostname or parts.username is not None or _has_blanks(url.strip()):
        raise Unreachable(_not_an_address())
    return Target(parts.scheme, parts.hostname, port, _path(parts))


def _not_an_address() -> Sentence:
    return _("This is not an address to send to: write it as https://example.com/path.")


def _has_blanks(text: str) -> bool:
    return any(character.isspace() or not character.isprintable() for character in text)


def _path(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The HTTP status of the answer. Raises `Unreachable`."""
    to = target(url)
    try:
        found = addresses.resolved(to.host, to.port, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE)
    except addresses.NoSuchHost:
        raise Unreachable(
            _("There is no host called “%(host)s”. Check its name.") % {"host": to.host}
        ) from None
    except addresses.NotAllowed:
        raise Unreachable(
            _(
                "“%(host)s” is an address inside a private network, which nothing is sent to. Use a"
                " public address, or ask your operator to allow private ones."
            )
            % {"host": to.host}
        ) from None
    default = to.port == (443 if to.scheme == "https" else 80)
    host = f"[{to.host}]" if ":" in to.host else to.host
    sent = {**headers, "Host": host if default else f"{host}:{to.port}"}
    try:
        with _pool(to, found[0]) as pool:
            answer = pool.urlopen(
                "POST",
                to.path,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            answer.read(MOST_OF_ANSWER)
            answer.close()
            return int(answer.status)
    except urllib3.exceptions.SSLError:
        raise Unreachable(_("The certificate is not one that can be trusted.")) from None
    except urllib3.exceptions.TimeoutError:
        raise Unreachable(_("There was no answer in time.")) from None
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        raise Unreachable(_("The connection could not be made, or broke off.")) from None


def _pool(to: Target, address: str) -> urllib3.HTTPConnectionPool:
    if to.scheme == "http":
        return urllib3.HTTPConnectionPool(address, to.port, timeout=SECONDS, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        address,
        to.port,
        timeout=SECONDS,
        maxsize=1,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
        assert_hostname=to.host,
        server_hostname=to.host,
    )
