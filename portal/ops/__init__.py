"""Is this process fit to serve: health."""
