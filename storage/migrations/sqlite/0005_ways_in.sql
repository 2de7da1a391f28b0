-- When the password was set; NULL for one from before this was kept.
ALTER TABLE accounts ADD COLUMN password_at INTEGER;

-- When Facebook was linked to an account that was there before, until its owner has seen the notice of it.
ALTER TABLE identities ADD COLUMN notice_at INTEGER;

-- by_facebook is also for bots' tokens: one that such a session made ends with it. Accounts without a password had
-- no other sessions.
UPDATE credentials SET by_facebook = 1
WHERE kind = 'bot' AND account_id IN (SELECT id FROM accounts WHERE password IS NULL);

-- What is left of a suspended account whose identity went: salted hashes, by which it is known again for a year.
CREATE TABLE suspensions (
    salt BLOB PRIMARY KEY,
    identity_hash BLOB NOT NULL,
    username_hash BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
