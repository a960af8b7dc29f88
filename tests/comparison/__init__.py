"""Puts Home Assistant's own `smtp` through the tables that this integration is tested with."""
