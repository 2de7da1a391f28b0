"""What a live board is: no HTTP, no SQL. Site, in site/, has the verbs."""
