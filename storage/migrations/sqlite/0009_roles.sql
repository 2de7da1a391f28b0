-- The role of the account that an invitation makes. One for a moderator is good only as long as there is none. (Not
-- “role”: the last release joins links with accounts, and says only role.)
ALTER TABLE links ADD COLUMN account_role TEXT NOT NULL DEFAULT 'member';
