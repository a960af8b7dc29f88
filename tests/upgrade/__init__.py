"""What one version of the integration has stored, taken up by another."""
