"""The functions of the scoring language, one module per group of the reference page."""
