-- What the board was called when an entry was written, unless it was for the invited: names change, and the log goes on
-- saying what was so.
ALTER TABLE audit ADD COLUMN board_name TEXT;
