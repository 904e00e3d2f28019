"""Second factors: passkeys and code generators."""

from allauth.mfa.adapter import DefaultMFAAdapter


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's factors by the product's rules."""
