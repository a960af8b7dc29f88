"""Signing in with OAuth 2."""
