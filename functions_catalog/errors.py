"""Refusals of the catalog. Each carries a sentence that the page or API shows as it is."""

from people.errors import Refused


class AllocatedElsewhere(Refused):
    """Another document in force already allocates the function."""

    code = "allocated_elsewhere"


class InForceOutOfOrder(Refused):
    """A Revision would come in force before the one it replaces."""

    code = "in_force_out_of_order"


class NameTaken(Refused):
    """Another active function carries the key or name."""

    code = "name_taken"


class AlreadyRetired(Refused):
    """The function is retired; nothing more changes about it."""

    code = "already_retired"


class NotAFunction(Refused):
    """What was given cannot be a function, successor or alias."""

    code = "not_a_function"


class BadDate(Refused):
    """The as-of date cannot be read."""

    code = "bad_date"
