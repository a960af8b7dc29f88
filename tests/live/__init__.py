"""A whole Home Assistant and a mail server beside it, started as a person would have them."""
