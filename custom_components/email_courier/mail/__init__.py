"""The mail layer: SMTP from settings to outcome, without Home Assistant."""
