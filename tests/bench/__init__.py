"""Measurements of this integration beside other mail clients; run by `scripts/bench`."""
