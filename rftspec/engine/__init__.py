"""The engine: sample, learn, save. The only floor that imports torch."""
