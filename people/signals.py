"""What happens among people and matters to upper apps. Each is sent inside its transaction."""

from django.dispatch import Signal

# Somebody should be told something: notifications writes the mail. Use people.telling.tell.
mail_due = Signal()

# An account was closed (kwargs: person, at): whatever it had begun ends now.
person_deactivated = Signal()

# An Office has, or will have, another holder (kwargs: appointment, at): an appointment that counts
# was recorded, confirmed, ended or corrected. What depends on "today" is found by sweeps.
appointment_changed = Signal()
