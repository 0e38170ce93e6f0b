"""Templates to begin workflows from, in both languages; each runs as it stands. `catalogue` holds them all, `parts` how they are written."""
