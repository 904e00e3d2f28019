"""Refusals. Each carries a sentence that the page or API shows as it is."""


class Refused(Exception):
    """A verb refused. Nothing was changed; ``str()`` says why and what to do."""

    code = "refused"


class NotYourOffice(Refused):
    """The acting person holds no Office that may do this."""

    code = "not_your_office"


class CeoIsNoParty(NotYourOffice):
    """The CEO holds a co-signing Office, and acts for it as a party would."""

    code = "ceo_is_no_party"


class AppointmentClash(Refused):
    """The Office has, in part of that time, another holder."""

    code = "appointment_clash"


class InvalidAppointment(Refused):
    """The appointment lacks something that it needs, whoever else holds the Office."""

    code = "invalid_appointment"
