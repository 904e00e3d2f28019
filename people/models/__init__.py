"""Who there is and who holds which Office from when until when."""

from .company import Company
from .office import Appointment, AppointmentQuerySet, Office, OfficeAbsence
from .person import Invitation, NewsByMail, Person, PersonManager, UsedCode, check_time_zone

__all__ = [
    "Appointment",
    "AppointmentQuerySet",
    "Company",
    "Invitation",
    "NewsByMail",
    "Office",
    "OfficeAbsence",
    "Person",
    "PersonManager",
    "UsedCode",
    "check_time_zone",
]
