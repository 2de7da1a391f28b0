"""Tests of what is kept, on both engines."""
