"""The fast path: polls whose bytes are known are answered or parked without parsing. See docs/architecture.md."""
