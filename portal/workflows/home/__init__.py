"""The home page: how work goes, what waits for a person, and the first steps of a new organisation."""
