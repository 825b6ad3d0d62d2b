-- What documents can be filtered and sorted by: one row for each value at a path. `text` is the beginning of the text
-- (256 bytes), `long` all of it when there is more, `folded` its small letters when they are other than ASCII's.
CREATE TABLE property (
    owner         TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    item          INTEGER NOT NULL,
    text          TEXT    NOT NULL,
    long          TEXT,
    folded        TEXT,
    number        REAL,
    counter_party TEXT,
    PRIMARY KEY (owner, kind, id, path, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX property_text ON property (owner, kind, path, text, id);
CREATE INDEX property_number ON property (owner, kind, path, number, id) WHERE number IS NOT NULL;
CREATE INDEX property_listed ON property (owner, kind, path, id) WHERE item > 0;

-- The version of a document whose properties are stored; an older release leaves it behind. The index holds nothing
-- but documents whose properties are not stored.
ALTER TABLE aggregate ADD COLUMN indexed INTEGER;
CREATE INDEX aggregate_unindexed ON aggregate (kind, owner) WHERE indexed IS NOT version;

-- An older release deletes documents too.
CREATE TRIGGER aggregate_deleted AFTER DELETE ON aggregate BEGIN
    DELETE FROM property WHERE owner = old.owner AND kind = old.kind AND id = old.id;
END;
