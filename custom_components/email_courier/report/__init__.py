"""Reports: mail about the home by a schedule, without an automation."""
