"""Proving settings, and finding those that work."""
