-- +goose Up
-- What a caller asked for under a key of theirs, and which job that began.
-- digest is over the arguments. The job may be gone already.
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    key    TEXT NOT NULL,
    digest BLOB NOT NULL,
    job    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (at);

-- The job that this one runs again.
ALTER TABLE job ADD COLUMN source_job TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE job DROP COLUMN source_job;
DROP TABLE idempotency;
