"""Tests of rftspec/graders."""
