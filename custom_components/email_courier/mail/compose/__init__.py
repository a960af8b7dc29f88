"""Composing: from content to finished bytes and their envelope."""
