-- +goose Up
ALTER TABLE step ADD COLUMN suspended_at INTEGER;
CREATE INDEX step_suspended ON step (job, pos) WHERE status = 'suspended';

-- What a person was asked, and what came of it. Of a wait that a policy asks
-- for there is a row from the job's beginning, which says whose job it is and
-- what alone the answer may be for (store/approval.go).
CREATE TABLE approval (
    job          INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    step         INTEGER NOT NULL,
    requested_by TEXT NOT NULL DEFAULT '',
    binding      BLOB,
    message      TEXT NOT NULL DEFAULT '',
    asked_at     INTEGER,
    answered_at  INTEGER,
    approved     INTEGER NOT NULL DEFAULT 0,
    answered_by  TEXT NOT NULL DEFAULT '',
    reason       TEXT NOT NULL DEFAULT '',
    input        TEXT,
    PRIMARY KEY (job, step)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE approval;
DROP INDEX step_suspended;
ALTER TABLE step DROP COLUMN suspended_at;
