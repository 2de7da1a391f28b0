"""Tests of the pages in real browsers."""
