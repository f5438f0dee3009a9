"""Restricted Python in a locked-down worker process."""
