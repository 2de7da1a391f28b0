"""How long tests wait. No time here is a claim about speed: bench/ measures that."""

PATIENCE = 120
"""Seconds after which something counts as hanging. A busy machine may take long; only what never comes is a fault."""
BRIEFLY = 0.2
"""Seconds for a look at what must not happen. On a busy machine such a look sees less, and is never wrong."""
