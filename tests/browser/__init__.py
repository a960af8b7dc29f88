"""What a person sees: a real browser on a whole Home Assistant, with mail servers beside it."""
