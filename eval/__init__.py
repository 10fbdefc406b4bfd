"""Question sets in, a report out."""
