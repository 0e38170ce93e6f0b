"""Lists as people use them: what a URL asks of one, columns, saved views, and one verb for many rows."""
