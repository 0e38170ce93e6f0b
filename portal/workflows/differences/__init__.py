"""What differs between two definitions, and how a reader is told."""
