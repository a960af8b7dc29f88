"""Wrong and right settings, and what the handshake says to each."""
