"""The pages of people: accounts, invitations, Offices, permissions, security events."""
