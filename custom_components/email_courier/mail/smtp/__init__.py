"""One connection to a mail server, and what is said on it."""
