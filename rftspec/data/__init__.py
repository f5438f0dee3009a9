"""Rows: read, checked, split and imported."""
