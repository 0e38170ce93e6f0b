"""Pages of runs: the list, one run with its steps, two of them side by side, what is done to a run, what it left behind."""
