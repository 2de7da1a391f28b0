"""What the tests stand on. It has no tests."""
