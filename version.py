"""The version of Longboard. It is written here only: pyproject.toml and all that shows it read it from here."""

VERSION = "1.1.0.dev0"
"""In the form of PEP 440. Between releases, it is the next one's with `.dev0`."""
