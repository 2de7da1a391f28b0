-- The message that this one replies to: one on the same board that was there at that moment.
ALTER TABLE messages ADD COLUMN reply_to INTEGER;
ALTER TABLE posts ADD COLUMN reply_to INTEGER;
