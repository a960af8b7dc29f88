"""Whether other mail servers will believe that mail comes from its sender."""
