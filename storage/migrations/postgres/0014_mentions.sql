-- The accounts that the message mentions, such as “;3;17;”, or NULL. 0 is everybody.
ALTER TABLE messages ADD COLUMN mentions text;
ALTER TABLE posts ADD COLUMN mentions text;
