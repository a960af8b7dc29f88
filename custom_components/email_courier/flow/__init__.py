"""The dialogs: set-up, options, recipients."""
