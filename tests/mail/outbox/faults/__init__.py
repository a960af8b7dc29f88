"""Every fault at every step of a delivery, and what becomes of the mail."""
