-- Times are Unix milliseconds; NULL means "not yet". Documents are JSON text.

-- +goose Up
CREATE TABLE workspace (
    name      TEXT PRIMARY KEY,
    dir       TEXT NOT NULL,
    revision  TEXT NOT NULL,
    error     TEXT NOT NULL,
    loaded_at INTEGER NOT NULL,
    actions   INTEGER NOT NULL DEFAULT 0,
    triggers  TEXT NOT NULL DEFAULT '[]',
    warnings  TEXT NOT NULL DEFAULT '[]'
) STRICT;

-- body is the linked workspace.Task: all that is needed to run it.
CREATE TABLE task (
    workspace   TEXT NOT NULL REFERENCES workspace (name) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    title       TEXT NOT NULL,
    mode        TEXT NOT NULL,
    folder      TEXT NOT NULL,
    file        TEXT NOT NULL,
    description TEXT NOT NULL,
    revision    TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (workspace, name)
) STRICT;

-- A plan is the task as it was when a job was submitted. Jobs of the same
-- revision share one.
CREATE TABLE plan (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;

-- The wide columns stand last, so that a list reads none of their pages.
CREATE TABLE job (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    workspace    TEXT NOT NULL,
    task         TEXT NOT NULL,
    folder       TEXT NOT NULL,
    status       TEXT NOT NULL,
    source_type  TEXT NOT NULL,
    source_id    TEXT NOT NULL,
    agent        INTEGER NOT NULL,
    revision     TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    completed_at INTEGER,
    log_lines    INTEGER NOT NULL DEFAULT 0,
    turn         INTEGER NOT NULL DEFAULT -1,
    plan         INTEGER NOT NULL REFERENCES plan (id),
    dir          TEXT NOT NULL,
    error        TEXT NOT NULL DEFAULT '',
    input        TEXT NOT NULL,
    output       TEXT
) STRICT;

-- A list is read off the index that begins with what it is filtered by.
CREATE INDEX job_by_status ON job (status, seq);
CREATE INDEX job_by_workspace ON job (workspace, seq);
CREATE INDEX job_by_name ON job (task, seq);
CREATE INDEX job_by_task ON job (workspace, task, seq);
CREATE INDEX job_by_workspace_status ON job (workspace, status, seq);
CREATE INDEX job_by_task_status ON job (workspace, task, status, seq);
CREATE INDEX job_by_plan ON job (plan);

-- How many jobs there are of each kind, so that nobody has to count a million.
CREATE TABLE job_count (
    workspace   TEXT NOT NULL,
    task        TEXT NOT NULL,
    status      TEXT NOT NULL,
    source_type TEXT NOT NULL,
    jobs        INTEGER NOT NULL,
    PRIMARY KEY (workspace, task, status, source_type)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER job_counted AFTER INSERT ON job BEGIN
    INSERT INTO job_count VALUES (new.workspace, new.task, new.status, new.source_type, 1)
        ON CONFLICT DO UPDATE SET jobs = jobs + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_recounted AFTER UPDATE OF status ON job WHEN old.status <> new.status BEGIN
    UPDATE job_count SET jobs = jobs - 1 WHERE workspace = old.workspace AND task = old.task
        AND status = old.status AND source_type = old.source_type;
    INSERT INTO job_count VALUES (new.workspace, new.task, new.status, new.source_type, 1)
        ON CONFLICT DO UPDATE SET jobs = jobs + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_uncounted AFTER DELETE ON job BEGIN
    UPDATE job_count SET jobs = jobs - 1 WHERE workspace = old.workspace AND task = old.task
        AND status = old.status AND source_type = old.source_type;
END;
-- +goose StatementEnd

-- turn orders the ready steps fairly between jobs (store/step.go); a job has
-- that of its newest.
-- out_offset and err_offset: how far the attempt's output is in the log.
-- head_bytes and tail_bytes are kept of it, cut_* were left out between them.
CREATE TABLE step (
    job          INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    pos          INTEGER NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL,
    turn         INTEGER NOT NULL DEFAULT 0,
    attempt      TEXT NOT NULL DEFAULT '',
    boot         TEXT NOT NULL DEFAULT '',
    started_at   INTEGER,
    completed_at INTEGER,
    exit_code    INTEGER,
    out_offset   INTEGER NOT NULL DEFAULT 0,
    err_offset   INTEGER NOT NULL DEFAULT 0,
    log_lines    INTEGER NOT NULL DEFAULT 0,
    head_bytes   INTEGER NOT NULL DEFAULT 0,
    tail_bytes   INTEGER NOT NULL DEFAULT 0,
    cut_bytes    INTEGER NOT NULL DEFAULT 0,
    cut_lines    INTEGER NOT NULL DEFAULT 0,
    error        TEXT NOT NULL DEFAULT '',
    output       TEXT,
    PRIMARY KEY (job, pos)
) STRICT;

CREATE INDEX step_ready ON step (turn, job, pos) WHERE status = 'ready';
CREATE INDEX step_running ON step (job, pos) WHERE status = 'running';

-- A chunk of one step's output on one stream: whole lines, each ended by a
-- newline. line counts through the job, step_line through the step, both
-- from 0.
CREATE TABLE log (
    id        INTEGER PRIMARY KEY,
    job       INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    step      INTEGER NOT NULL,
    line      INTEGER NOT NULL,
    step_line INTEGER NOT NULL,
    lines     INTEGER NOT NULL,
    stream    INTEGER NOT NULL,
    tail      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    body      BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX log_by_job ON log (job, line);
CREATE UNIQUE INDEX log_by_step ON log (job, step, step_line);
CREATE INDEX log_tail ON log (job, step, step_line) WHERE tail;

-- +goose Down
DROP TABLE log;
DROP TABLE step;
DROP TABLE job_count;
DROP TABLE job;
DROP TABLE plan;
DROP TABLE task;
DROP TABLE workspace;
