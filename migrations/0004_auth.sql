-- +goose Up
CREATE TABLE user (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    admin         INTEGER NOT NULL,
    password      TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_login_at INTEGER
) STRICT;

CREATE TABLE user_group (
    user TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (user, name)
) STRICT, WITHOUT ROWID;

-- workspaces and tasks are lists of patterns; an empty list limits nothing.
CREATE TABLE api_key (
    prefix       TEXT PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE,
    user         TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    read_only    INTEGER NOT NULL,
    mcp_only     INTEGER NOT NULL,
    workspaces   TEXT NOT NULL,
    tasks        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE INDEX api_key_by_user ON api_key (user);

-- A session that is revoked is deleted.
CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    mcp        INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_by_user ON session (user);
CREATE INDEX session_by_end ON session (expires_at);

-- Used tokens stay, so that a second use is seen.
CREATE TABLE refresh (
    hash       BLOB PRIMARY KEY,
    session    TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;

CREATE INDEX refresh_by_session ON refresh (session);
CREATE INDEX refresh_by_end ON refresh (expires_at);

-- hash is over the record and the hash before it (store/audit.go).
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    who        TEXT NOT NULL,
    key_prefix TEXT NOT NULL,
    addr       TEXT NOT NULL,
    door       TEXT NOT NULL,
    action     TEXT NOT NULL,
    workspace  TEXT NOT NULL,
    task       TEXT NOT NULL,
    job        TEXT NOT NULL,
    detail     TEXT NOT NULL,
    result     TEXT NOT NULL,
    hash       BLOB NOT NULL
) STRICT;

-- The newest record, under a code made with a key that is not in this file.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL,
    code BLOB NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit;
DROP TABLE refresh;
DROP TABLE session;
DROP TABLE api_key;
DROP TABLE user_group;
DROP TABLE user;
