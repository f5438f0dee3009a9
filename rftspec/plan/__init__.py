"""The plan: every number of the run with the reason for its value."""
