"""The designer: edits of a draft, the page that shows them, and the flow that the run page shares."""
