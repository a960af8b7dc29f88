"""Answers to mail."""
