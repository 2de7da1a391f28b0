-- Tries to sign in with a wrong password: how many since the account's owner last came in by a browser, and how many
-- between that time and the one before it. They are counted in memory and written down once a minute.
CREATE TABLE failed_tries (
    account_id bigint PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    since bigint NOT NULL,
    earlier bigint NOT NULL
);
