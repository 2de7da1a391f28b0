"""Tests of a real server process, over HTTP."""
