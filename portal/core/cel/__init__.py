"""CEL, the expression language: its syntax tree, what an expression may cost, and what is wrong with one in plain words. Pure."""
