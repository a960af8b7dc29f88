"""The outbox: what has been promised and is not yet delivered, kept on disk."""
