"""The report: numbers and pages, read from a record and from nothing else."""
