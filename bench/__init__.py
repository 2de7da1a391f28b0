"""Measures Longboard. Each bench is a module with a `run`. See README.md."""
