"""The plan: every number of a run with the reason for its value."""
