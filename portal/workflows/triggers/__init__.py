"""Ways in which runs start: each trigger of a workflow, what arrives at it, and what became of that."""
