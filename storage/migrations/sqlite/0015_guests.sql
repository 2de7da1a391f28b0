-- The hash of the secret by which a guest may edit or delete a message, of any board, until its time is over.
CREATE TABLE guest_secrets (
    message_id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT;
