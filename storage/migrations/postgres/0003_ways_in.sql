-- When the password was set; NULL for one from before this was kept.
ALTER TABLE accounts ADD COLUMN password_at bigint;

-- When Facebook was linked to an account that was there before, until its owner has seen the notice of it.
ALTER TABLE identities ADD COLUMN notice_at bigint;

-- by_facebook is also for bots' tokens: one that such a session made ends with it. Accounts without a password had
-- no other sessions.
UPDATE credentials SET by_facebook = true
WHERE kind = 'bot' AND account_id IN (SELECT id FROM accounts WHERE password IS NULL);

-- What is left of a suspended account whose identity went: salted hashes, by which it is known again for a year.
CREATE TABLE suspensions (
    salt bytea PRIMARY KEY,
    identity_hash bytea NOT NULL,
    username_hash bytea NOT NULL,
    until bigint NOT NULL
);

-- As post(), which nodes of an older version still call: but the author's name is the account's at this moment, and
-- the credential that asks must still be there. The outcome `outdated` says that it is not.
CREATE FUNCTION post_by(
    author_ids bigint[], credential_ids bigint[], bodies text[], searches text[], keys text[], fingerprints bytea[],
    addresses text[], times bigint[]
) RETURNS TABLE (
    outcome text, id bigint, seq bigint, author_id bigint, author_name text, body text, created_at bigint,
    edited_at bigint
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    next bigint;
    began bigint;
    first messages;
    refusal text;
    name_now text;
BEGIN
    PERFORM take_turn();
    SELECT board.seq INTO began FROM board; -- after the lock: this statement sees what the last one committed
    next := began;
    FOR i IN 1 .. cardinality(bodies) LOOP
        IF keys[i] IS NOT NULL THEN
            SELECT * INTO first FROM messages AS m
            WHERE coalesce(m.author_id, 0) = coalesce(author_ids[i], 0) AND m.key = keys[i];
            IF found THEN
                RETURN QUERY SELECT
                    CASE WHEN first.fingerprint <> fingerprints[i] THEN 'key_reused' ELSE 'known' END,
                    first.id, first.seq, first.author_id, first.author_name, first.body, first.created_at,
                    first.edited_at;
                CONTINUE;
            END IF;
        END IF;
        refusal := NULL;
        name_now := NULL;
        IF author_ids[i] IS NULL THEN
            IF EXISTS (SELECT FROM blocks WHERE address = addresses[i] AND until > now_ms()) THEN
                refusal := 'not_allowed';
            END IF;
        ELSE
            SELECT accounts.name INTO name_now FROM accounts
            WHERE accounts.id = author_ids[i] AND suspended_at IS NULL;
            IF name_now IS NULL THEN
                refusal := 'not_allowed';
            ELSIF credential_ids[i] IS NOT NULL AND NOT EXISTS (
                SELECT FROM credentials
                WHERE credentials.id = credential_ids[i] AND credentials.account_id = author_ids[i]
            ) THEN
                refusal := 'outdated';
            END IF;
        END IF;
        IF refusal IS NOT NULL THEN
            RETURN QUERY SELECT
                refusal, NULL::bigint, NULL::bigint, NULL::bigint, NULL, NULL, NULL::bigint, NULL::bigint;
            CONTINUE;
        END IF;
        next := next + 1;
        RETURN QUERY INSERT INTO messages AS m
            (id, seq, author_id, author_name, body, search, created_at, key, fingerprint, address)
        VALUES (
            next, next, author_ids[i], name_now, bodies[i], searches[i]::tsvector,
            coalesce(times[i], now_ms()), keys[i], fingerprints[i], addresses[i]
        )
        RETURNING 'posted', m.id, m.seq, m.author_id, m.author_name, m.body, m.created_at, m.edited_at;
    END LOOP;
    IF next > began THEN
        UPDATE board SET seq = next;
    END IF;
END $$;
