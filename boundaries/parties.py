"""Which Offices are parties to a Revision: they agree, co-sign and may decline."""

from people.models import Office

# Further parties (CMO, CCO, Legal owning a row) come with negotiation; they will be added here.


def party_offices() -> list[str]:
    """The keys of the established co-signing Offices, in the order they are always shown."""
    return list(
        Office.objects.filter(co_signing=True, established=True)
        .order_by("position")
        .values_list("key", flat=True)
    )
