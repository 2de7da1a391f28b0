-- The message that this one replies to: one on the same board that was there at that moment.
ALTER TABLE messages ADD COLUMN reply_to bigint;
ALTER TABLE posts ADD COLUMN reply_to bigint;

-- Posts replies, on any boards: as post_by() and post_to(), whose rules come first. The outcome `no_such_message` says
-- that there is no message to reply to on that board; what was posted is undone then.
CREATE FUNCTION post_replies(
    board_ids bigint[], author_ids bigint[], credential_ids bigint[], bodies text[], searches text[], keys text[],
    fingerprints bytea[], addresses text[], times bigint[], reply_tos bigint[]
) RETURNS TABLE (
    outcome text, id bigint, seq bigint, author_id bigint, author_name text, body text, created_at bigint,
    edited_at bigint, reply_to bigint, board_id bigint
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    made record;
    target bigint;
BEGIN
    PERFORM take_turn();
    FOR i IN 1 .. cardinality(bodies) LOOP
        BEGIN
            IF board_ids[i] = 1 THEN
                SELECT p.*, 1::bigint AS board_id INTO made FROM post_by(
                    author_ids[i:i], credential_ids[i:i], bodies[i:i], searches[i:i], keys[i:i], fingerprints[i:i],
                    addresses[i:i], times[i:i]
                ) AS p;
            ELSE
                SELECT p.* INTO made FROM post_to(
                    board_ids[i:i], author_ids[i:i], credential_ids[i:i], bodies[i:i], searches[i:i], keys[i:i],
                    fingerprints[i:i], addresses[i:i], times[i:i]
                ) AS p;
            END IF;
            target := NULL;
            IF made.outcome = 'posted' AND board_ids[i] = 1 THEN
                UPDATE messages AS m SET reply_to = reply_tos[i] WHERE m.id = made.id AND EXISTS (
                    SELECT FROM messages AS t WHERE t.id = reply_tos[i] AND t.id <> made.id AND t.body IS NOT NULL
                ) RETURNING m.reply_to INTO target;
            ELSIF made.outcome = 'posted' THEN
                UPDATE posts AS m SET reply_to = reply_tos[i] WHERE m.id = made.id AND EXISTS (
                    SELECT FROM posts AS t
                    WHERE t.id = reply_tos[i] AND t.id <> made.id AND t.body IS NOT NULL AND t.board_id = board_ids[i]
                ) RETURNING m.reply_to INTO target;
            ELSIF made.outcome = 'known' THEN
                SELECT m.reply_to INTO target FROM (
                    SELECT id, reply_to FROM messages UNION ALL SELECT id, reply_to FROM posts
                ) AS m WHERE m.id = made.id;
            END IF;
            IF made.outcome = 'posted' AND target IS NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'LB001';
            END IF;
            RETURN QUERY SELECT
                made.outcome, made.id, made.seq, made.author_id, made.author_name, made.body, made.created_at,
                made.edited_at, target, made.board_id;
        EXCEPTION WHEN SQLSTATE 'LB001' THEN
            RETURN QUERY SELECT
                'no_such_message', NULL::bigint, NULL::bigint, NULL::bigint, NULL, NULL, NULL::bigint, NULL::bigint,
                NULL::bigint, NULL::bigint;
        END;
    END LOOP;
END $$;
