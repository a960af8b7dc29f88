"""Tests against real mail servers."""
