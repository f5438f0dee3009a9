"""The spec: what the user meant, frozen and typed."""
