"""Sign-in policy: accounts come by invitation only."""

from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Close the sign-up that allauth would otherwise offer, and refuse in the product's words."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        # The same sentence for an unknown address and for a wrong password.
        "email_password_mismatch": "E-mail and password do not belong together. Check both.",
        "enter_current_password": "That is not your current password.",
        "too_many_login_attempts": "Too many failed tries. Wait five minutes, then try again.",
        "account_inactive": "This account is not active. Ask your company's Administrator.",
        "rate_limited": "Too many requests in a short time. Wait a minute, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
