"""What happens here and matters to upper apps."""

from django.dispatch import Signal

# Sent inside the transaction that brings a Revision in force; kwargs: revision, at.
revision_in_force = Signal()
