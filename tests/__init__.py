"""Tests: they mirror rftspec; house/ holds the rules of this repository."""
