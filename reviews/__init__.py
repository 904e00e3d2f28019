"""Review cycles: when a document comes back, who takes part, and who is reminded."""
