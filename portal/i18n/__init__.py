"""Languages and directions, formats, Arabic search keys, catalogues."""
