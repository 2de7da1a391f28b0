"""Longboard, installed as a package. It is a program, not a library: `longboard` or `python -m longboard` starts it."""
