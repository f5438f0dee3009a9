"""What all tests share: no network, no colours, and properties that do not depend on speed."""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["NO_COLOR"] = "1"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core for each of the processes
_CACHE = tempfile.TemporaryDirectory(prefix="rftspec-tests-")
os.environ["RFTSPEC_CACHE"] = _CACHE.name  # nothing of the person's own is read or written
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
