"""Person, Office, Appointment, permissions, sign-in policy."""
