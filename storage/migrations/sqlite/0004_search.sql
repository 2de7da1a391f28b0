-- What messages are found by, in parts of 16,384 numbers each. A row here says that the part's index exists, in a
-- table of its own (words_0, words_1 …) which is made together with the row, and which version cut its words.
CREATE TABLE search_parts (
    number INTEGER PRIMARY KEY,
    cut_by TEXT NOT NULL
) STRICT;
