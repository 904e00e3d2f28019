"""What is said to whom, once: outgoing mail (in-app notices and watching follow)."""
