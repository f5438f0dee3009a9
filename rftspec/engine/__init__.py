"""The engine: sample, learn, save. The only floor that imports torch."""

import os

# Torch's threads wait for one another by spinning, by default for milliseconds: where another
# program wants a core, each of a step's thousands of short waits then lasts a scheduler's slice.
# Read when torch is loaded; about a tenth of a millisecond still spans the gaps inside a step.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
