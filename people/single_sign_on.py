"""Single sign-on with OpenID Connect."""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's single sign-on by the product's rules."""
