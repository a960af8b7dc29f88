"""Checks that the files of the project agree with one another; they need no network."""
