-- The site that an identity is of; and that of a credential, which counts only where by_facebook says that one signed
-- in by an identity. The columns facebook_id and by_facebook have the name of the first such site.
ALTER TABLE identities ADD COLUMN provider TEXT NOT NULL DEFAULT 'facebook';
ALTER TABLE credentials ADD COLUMN provider TEXT NOT NULL DEFAULT 'facebook';

-- An account may have an identity at each.
CREATE UNIQUE INDEX identities_by_provider ON identities (account_id, provider);
DROP INDEX identities_by_account;
