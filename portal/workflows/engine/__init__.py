"""The engine: states, plan, retry (pure), store (every move in SQL), runner (the only loop), janitor."""
