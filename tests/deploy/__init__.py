"""Tests of what those who run a board use: commands, processes, proxies, files."""
