"""The history of runs: its chain, its export and proof, how long it is kept."""
