"""Tests of rftspec/sandbox."""
