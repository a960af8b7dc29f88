"""Tests of the mail layer, which run without Home Assistant."""
