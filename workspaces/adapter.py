"""The seam to allauth: who has shown by an invitation's link that an address is theirs."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

INVITED = "invited_email"


class AccountAdapter(DefaultAccountAdapter):
    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """The link of an invitation came to that address by e-mail: no second e-mail is needed."""
        invited = request.session.get(INVITED, "")
        return bool(invited) and email.lower() == invited
