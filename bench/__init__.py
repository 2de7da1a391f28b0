"""Longboard, measured: each of polls, posts, sizes and text is a module with a `run`. See README.md."""
