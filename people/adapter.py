"""Sign-in policy: accounts come by invitation only."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Close the sign-up that allauth would otherwise offer."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
