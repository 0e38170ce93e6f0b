"""Lists as files: made by a job, kept for a while for the person who asked, announced in their bell."""
