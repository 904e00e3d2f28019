"""Sign-in by e-mail and password, and the way back for a forgotten one."""

import time

from allauth.account.forms import LoginForm, ResetPasswordForm
from django.http import HttpRequest
from django.utils import timezone

from . import sign_in_events

# Every answer to a forgotten password takes this long: a mail to write must not show.
_ANSWER_SECONDS = 0.3


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth is untyped
    """allauth's form in the product's words."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Work e-mail"
        self.fields["password"].label = "Password"
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
            field.widget.attrs.pop("placeholder", None)


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]  # allauth is untyped
    """Asks for a new password. Nobody learns from the answer whether an address is known."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Work e-mail"
        self.fields["email"].widget.attrs.pop("placeholder", None)
        self.fields["email"].widget.attrs["class"] = "input"

    def save(self, request: HttpRequest, **kwargs: object) -> str:
        answered_at = time.monotonic() + _ANSWER_SECONDS
        if self.users:
            email: str = super().save(request, **kwargs)
        else:
            email = self.cleaned_data["email"]
            sign_in_events.reset_asked(
                request=request, person=None, link_path="", hours=0, at=timezone.now()
            )
        time.sleep(max(0, answered_at - time.monotonic()))
        return email
