-- What the name of an account looks like (storage/skeletons.py): NULL for one that a server has yet to look at. And whether
-- its username always stands beside the name, because nobody could take this name.
ALTER TABLE accounts ADD COLUMN skeleton TEXT;
ALTER TABLE accounts ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
CREATE INDEX accounts_by_skeleton ON accounts (skeleton);
CREATE INDEX moderators ON accounts (id) WHERE role = 'moderator';

-- A node of the last release changes names without a look at them.
CREATE TRIGGER renamed AFTER UPDATE OF name ON accounts
WHEN OLD.skeleton IS NOT NULL AND NEW.name <> OLD.name BEGIN
    UPDATE accounts SET skeleton = NULL WHERE id = NEW.id;
END;
