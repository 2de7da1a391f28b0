-- Who reacted to which message, and how: a message of any board. The triggers below keep the counts beside the message,
-- so that reading it needs no join, and do so also when an account or a message is deleted.
CREATE TABLE reactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (message_id, account_id, kind)
) STRICT;
CREATE INDEX reactions_by_account ON reactions (account_id, id);

-- How many accounts have each kind, such as “;heart 3;eyes 1;”, or NULL. (Not JSON: triggers may not call its functions
-- in SQLite 3.40.)
ALTER TABLE messages ADD COLUMN reactions TEXT;
ALTER TABLE posts ADD COLUMN reactions TEXT;

-- The count is read by a CAST, which takes the digits at the beginning of what follows the kind. A trigger may have no
-- WITH and no variables, so this stands in each place; counting all rows would take longer the more there are.
CREATE TRIGGER reactions_added AFTER INSERT ON reactions BEGIN
    SELECT RAISE(ABORT, 'there is no such message')
    WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = NEW.message_id AND body IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM posts WHERE id = NEW.message_id AND body IS NOT NULL);
    UPDATE messages SET reactions = CASE
        WHEN instr(ifnull(reactions, ''), ';' || NEW.kind || ' ') = 0 THEN ifnull(reactions, ';') || NEW.kind || ' 1;'
        ELSE replace(
            reactions,
            ';' || NEW.kind || ' ' || CAST(substr(reactions, instr(reactions, ';' || NEW.kind || ' ') + length(NEW.kind) + 2) AS INTEGER) || ';',
            ';' || NEW.kind || ' ' || (CAST(substr(reactions, instr(reactions, ';' || NEW.kind || ' ') + length(NEW.kind) + 2) AS INTEGER) + 1) || ';'
        )
    END WHERE id = NEW.message_id;
    UPDATE posts SET reactions = CASE
        WHEN instr(ifnull(reactions, ''), ';' || NEW.kind || ' ') = 0 THEN ifnull(reactions, ';') || NEW.kind || ' 1;'
        ELSE replace(
            reactions,
            ';' || NEW.kind || ' ' || CAST(substr(reactions, instr(reactions, ';' || NEW.kind || ' ') + length(NEW.kind) + 2) AS INTEGER) || ';',
            ';' || NEW.kind || ' ' || (CAST(substr(reactions, instr(reactions, ';' || NEW.kind || ' ') + length(NEW.kind) + 2) AS INTEGER) + 1) || ';'
        )
    END WHERE id = NEW.message_id;
END;
CREATE TRIGGER reactions_removed AFTER DELETE ON reactions BEGIN
    UPDATE messages SET reactions = nullif(replace(
        reactions,
        ';' || OLD.kind || ' ' || CAST(substr(reactions, instr(reactions, ';' || OLD.kind || ' ') + length(OLD.kind) + 2) AS INTEGER) || ';',
        CASE CAST(substr(reactions, instr(reactions, ';' || OLD.kind || ' ') + length(OLD.kind) + 2) AS INTEGER)
        WHEN 1 THEN ';'
        ELSE ';' || OLD.kind || ' ' || (CAST(substr(reactions, instr(reactions, ';' || OLD.kind || ' ') + length(OLD.kind) + 2) AS INTEGER) - 1) || ';'
        END
    ), ';') WHERE id = OLD.message_id AND reactions IS NOT NULL;
    UPDATE posts SET reactions = nullif(replace(
        reactions,
        ';' || OLD.kind || ' ' || CAST(substr(reactions, instr(reactions, ';' || OLD.kind || ' ') + length(OLD.kind) + 2) AS INTEGER) || ';',
        CASE CAST(substr(reactions, instr(reactions, ';' || OLD.kind || ' ') + length(OLD.kind) + 2) AS INTEGER)
        WHEN 1 THEN ';'
        ELSE ';' || OLD.kind || ' ' || (CAST(substr(reactions, instr(reactions, ';' || OLD.kind || ' ') + length(OLD.kind) + 2) AS INTEGER) - 1) || ';'
        END
    ), ';') WHERE id = OLD.message_id AND reactions IS NOT NULL;
END;

CREATE TRIGGER messages_removed AFTER DELETE ON messages WHEN OLD.reactions IS NOT NULL BEGIN
    DELETE FROM reactions WHERE message_id = OLD.id;
END;
CREATE TRIGGER posts_removed AFTER DELETE ON posts WHEN OLD.reactions IS NOT NULL BEGIN
    DELETE FROM reactions WHERE message_id = OLD.id;
END;
CREATE TRIGGER messages_emptied AFTER UPDATE OF body ON messages
WHEN NEW.body IS NULL AND OLD.reactions IS NOT NULL BEGIN
    DELETE FROM reactions WHERE message_id = OLD.id;
END;
CREATE TRIGGER posts_emptied AFTER UPDATE OF body ON posts
WHEN NEW.body IS NULL AND OLD.reactions IS NOT NULL BEGIN
    DELETE FROM reactions WHERE message_id = OLD.id;
END;
