from audit.management.commands.audit_verify import Command as AuditVerify


class Command(AuditVerify):
    """The former name of ``audit_verify``, kept for whoever has it in a timetable."""
