"""For operators, programs and monitors."""
