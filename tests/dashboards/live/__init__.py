"""Tests that share one world."""
