"""The run folder: what happened, append-only."""
