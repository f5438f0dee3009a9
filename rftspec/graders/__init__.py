"""Graders: each turns one sample and its row into a score with a reason."""
