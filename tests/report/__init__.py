"""Reports by a schedule."""
