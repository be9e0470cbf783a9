-- +goose Up
-- What retention deletes next.
CREATE INDEX job_by_end ON job (completed_at, seq) WHERE completed_at IS NOT NULL;

-- One row: when the upkeep last looked, and what came of the last run that did
-- something. over: more is kept than may be, and nothing is left to delete.
CREATE TABLE upkeep (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    looked_at INTEGER NOT NULL,
    over      INTEGER NOT NULL,
    ran_at    INTEGER,
    jobs      INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    took_ms   INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE upkeep;
DROP INDEX job_by_end;
