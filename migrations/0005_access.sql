-- +goose Up
-- Access rules speak of a task's folder too, and what is counted must be
-- countable for each caller.
DROP TRIGGER job_counted;
DROP TRIGGER job_recounted;
DROP TRIGGER job_uncounted;
DROP TABLE job_count;

CREATE TABLE job_count (
    workspace   TEXT NOT NULL,
    folder      TEXT NOT NULL,
    task        TEXT NOT NULL,
    status      TEXT NOT NULL,
    source_type TEXT NOT NULL,
    jobs        INTEGER NOT NULL,
    PRIMARY KEY (workspace, task, folder, status, source_type)
) STRICT, WITHOUT ROWID;

INSERT INTO job_count SELECT workspace, folder, task, status, source_type, count(*) FROM job GROUP BY 1, 2, 3, 4, 5;

-- +goose StatementBegin
CREATE TRIGGER job_counted AFTER INSERT ON job BEGIN
    INSERT INTO job_count VALUES (new.workspace, new.folder, new.task, new.status, new.source_type, 1)
        ON CONFLICT DO UPDATE SET jobs = jobs + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_recounted AFTER UPDATE OF status ON job WHEN old.status <> new.status BEGIN
    UPDATE job_count SET jobs = jobs - 1 WHERE workspace = old.workspace AND task = old.task
        AND folder = old.folder AND status = old.status AND source_type = old.source_type;
    INSERT INTO job_count VALUES (new.workspace, new.folder, new.task, new.status, new.source_type, 1)
        ON CONFLICT DO UPDATE SET jobs = jobs + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER job_uncounted AFTER DELETE ON job BEGIN
    UPDATE job_count SET jobs = jobs - 1 WHERE workspace = old.workspace AND task = old.task
        AND folder = old.folder AND status = old.status AND source_type = old.source_type;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER job_counted;
DROP TRIGGER job_recounted;
DROP TRIGGER job_uncounted;
DROP TABLE job_count;

CREATE TABLE job_count (
    workspace   TEXT NOT NULL,
    task        TEXT NOT NULL,
    status      TEXT NOT NULL,
    source_type TEXT NOT NULL,
    jobs        INTEGER NOT NULL,
    PRIMARY KEY (workspace, task, status, source_type)
) STRICT, WITHOUT ROWID;

INSERT INTO job_count SELECT workspace, task, status, source_type, count(*) FROM job GROUP BY 1, 2, 3, 4;

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
