-- +goose Up
-- A file that a step left. Its bytes are artifacts/<attempt>/<file> in the data
-- folder: what the step called it is here alone.
CREATE TABLE artifact (
    job          INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    step         INTEGER NOT NULL,
    attempt      TEXT NOT NULL,
    file         INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    size         INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX artifact_by_file ON artifact (attempt, file);

-- One row: how many bytes all of them have, so that nobody has to add them up.
CREATE TABLE artifact_space (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    bytes INTEGER NOT NULL
) STRICT;

INSERT INTO artifact_space VALUES (1, 0);

-- +goose StatementBegin
CREATE TRIGGER artifact_counted AFTER INSERT ON artifact BEGIN
    UPDATE artifact_space SET bytes = bytes + new.size;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER artifact_uncounted AFTER DELETE ON artifact BEGIN
    UPDATE artifact_space SET bytes = bytes - old.size;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER artifact_uncounted;
DROP TRIGGER artifact_counted;
DROP TABLE artifact_space;
DROP TABLE artifact;
