-- +goose Up
-- Programs that made themselves known. One that nobody ever let in ends.
CREATE TABLE oauth_client (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    secret     BLOB,
    redirects  TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

CREATE INDEX oauth_client_by_end ON oauth_client (expires_at);

-- What a person gave a program. It begins with a code, which stays, so that a
-- second use is seen; one that is revoked is deleted. The client may be a URL,
-- of which there is no row.
CREATE TABLE oauth_grant (
    id           TEXT PRIMARY KEY,
    user         TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    client       TEXT NOT NULL,
    name         TEXT NOT NULL,
    resource     TEXT NOT NULL,
    redirect     TEXT NOT NULL,
    code         BLOB NOT NULL UNIQUE,
    challenge    TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    exchanged_at INTEGER,
    last_used_at INTEGER,
    expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX oauth_grant_by_user ON oauth_grant (user);
CREATE INDEX oauth_grant_by_client ON oauth_grant (client);
CREATE INDEX oauth_grant_by_end ON oauth_grant (expires_at);

-- Used refresh tokens stay, so that a second use is seen.
CREATE TABLE oauth_token (
    hash       BLOB PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    refresh    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;

CREATE INDEX oauth_token_by_grant ON oauth_token (grant_id);
CREATE INDEX oauth_token_by_end ON oauth_token (expires_at);

-- +goose Down
DROP TABLE oauth_token;
DROP TABLE oauth_grant;
DROP TABLE oauth_client;
