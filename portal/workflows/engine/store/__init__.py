"""Every move of a run or step in SQL, one function each. One move = one short transaction; PostgreSQL's clock only.

Locks are always taken execution first, then step, then timer. Every write of a worker is guarded by its lease epoch: a
worker that was thought dead changes nothing when it comes back.
"""
