-- Since when a message is the pinned one of its board: at most one that is not deleted. A node of the last release leaves
-- this as it is when it deletes the message.
ALTER TABLE messages ADD COLUMN pinned_at bigint;
ALTER TABLE posts ADD COLUMN pinned_at bigint;
CREATE INDEX messages_pinned ON messages (pinned_at) WHERE pinned_at IS NOT NULL;
CREATE INDEX posts_pinned ON posts (board_id, pinned_at) WHERE pinned_at IS NOT NULL;
