"""What users reported of other mail senders, asked of this one by its public names alone."""
