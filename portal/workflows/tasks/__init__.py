"""Human tasks: who may decide them, their pages, what is told of them. Their moves are in `engine/store/answering.py`."""
