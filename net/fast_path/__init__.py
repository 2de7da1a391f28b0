"""The fast path: polls whose bytes are known are answered or parked without parsing. docs/architecture.md tells how."""
