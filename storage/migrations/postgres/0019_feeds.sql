-- What a credential is only for: NULL, or “feed” of the secret address of a board's feed. To the last release, which does not
-- know the column, such a row is a bot's token that nobody can send: of its secret, another hash is kept.
ALTER TABLE credentials ADD COLUMN reads text;
