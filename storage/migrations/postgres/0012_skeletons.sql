-- What the name of an account looks like (storage/skeletons.py): NULL for one that a server has yet to look at. And whether
-- its username always stands beside the name, because nobody could take this name.
ALTER TABLE accounts ADD COLUMN skeleton text;
ALTER TABLE accounts ADD COLUMN apart boolean NOT NULL DEFAULT false;
CREATE INDEX accounts_by_skeleton ON accounts (skeleton);
CREATE INDEX moderators ON accounts (id) WHERE role = 'moderator';

-- A node of the last release changes names without a look at them.
CREATE FUNCTION forget_skeleton() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET skeleton = NULL WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER renamed AFTER UPDATE OF name ON accounts
FOR EACH ROW WHEN (OLD.skeleton IS NOT NULL AND NEW.name <> OLD.name) EXECUTE FUNCTION forget_skeleton();
