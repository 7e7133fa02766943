"""A client of the Constant Contact v3 API. Knows nothing of the rest of the product."""

from connections.constant_contact.client import Client

__all__ = ["Client"]
