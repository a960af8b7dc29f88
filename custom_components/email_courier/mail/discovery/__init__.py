"""From a sender's address to the server that takes its mail."""
