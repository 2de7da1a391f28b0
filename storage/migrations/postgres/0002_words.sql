-- Which version of storage/words.py has cut the words that all messages are found by; NULL where none has yet.
ALTER TABLE board ADD COLUMN words text;
