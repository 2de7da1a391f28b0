"""Random input for everything that reads what others have sent. See bin/fuzz."""
