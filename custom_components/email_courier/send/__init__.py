"""The actions that send mail, and those on waiting mail."""
