"""The scoring language: pure, total, bounded, statically typed."""
