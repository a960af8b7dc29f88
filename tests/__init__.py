"""Tests of Email Courier."""
