"""Answers to mail: the links behind its buttons, what they may do, and the page they lead to."""
