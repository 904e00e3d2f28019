"""Whether there is single sign-on, and what people here call it."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def single_sign_on_name() -> str:
    """ "" where no issuer is configured."""
    return settings.OIDC_NAME if settings.OIDC_ISSUER else ""
