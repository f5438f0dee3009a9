"""Asking a model or a service: one client, its limits, its cache, and how a verdict is read."""
