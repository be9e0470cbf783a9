-- When triggers fire next, and what was decided about what they missed.

-- +goose Up
-- next_at is computed from spec: another one restarts the schedule. What lies
-- before next_at has been settled, whatever the clock says later.
CREATE TABLE schedule (
    workspace TEXT NOT NULL REFERENCES workspace (name) ON DELETE CASCADE,
    name      TEXT NOT NULL,
    spec      TEXT NOT NULL,
    next_at   INTEGER,
    PRIMARY KEY (workspace, name)
) STRICT, WITHOUT ROWID;

-- One row for each outage and trigger that missed something in it.
CREATE TABLE outage (
    id         INTEGER PRIMARY KEY,
    workspace  TEXT NOT NULL,
    name       TEXT NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    missed     INTEGER NOT NULL,
    catch_up   TEXT NOT NULL,
    started    INTEGER NOT NULL,
    decided_at INTEGER NOT NULL
) STRICT;

CREATE INDEX outage_by_trigger ON outage (workspace, name, id);

-- The jobs of a trigger that have not ended: there are few.
CREATE INDEX job_by_trigger ON job (source_id, seq) WHERE source_type = 'trigger' AND status IN ('pending', 'running');

-- +goose Down
DROP INDEX job_by_trigger;
DROP TABLE outage;
DROP TABLE schedule;
