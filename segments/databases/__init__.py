"""The databases that SQL sources read from: which there are, and reading them without harm.

Knows no Django model: it takes a `Target` and plain data.
"""
