"""How long a test lets something take that takes a moment."""

from typing import Final

SOON: Final = 4.0
"""Seconds. More than a busy machine needs for what waits for nothing, and less than any of the
product's own limits, where it waits for something after all."""
