-- Which message a board's page has first: the newest, or the oldest. Of the first board, the settings say it.
ALTER TABLE boards ADD COLUMN reading_order TEXT NOT NULL DEFAULT 'newest';
