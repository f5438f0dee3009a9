"""temp"""
from __future__ import annotations
def lock_down(*, read_fd: int, write_fd: int, memory_mb: int, mode: str):
    """Temporary."""
    import resource
    resource.setrlimit(resource.RLIMIT_AS,(memory_mb<<20,memory_mb<<20))
    return []
