"""The databases that SQL sources read from: which there are, and reading them without harm.

Takes a `Target` and plain data, and asks for no Django model.
"""
