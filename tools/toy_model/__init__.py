"""Build the general toy model `builtin:toy` and the rows of the templates that it is tried on."""
