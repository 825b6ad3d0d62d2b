-- Sealing gives entries of the audit log places in a chain; before it, an entry has none.
ALTER TABLE audit ADD COLUMN place INTEGER;
ALTER TABLE audit ADD COLUMN hash TEXT;

CREATE UNIQUE INDEX audit_place ON audit (place) WHERE place IS NOT NULL;
CREATE INDEX audit_waiting ON audit (seq) WHERE place IS NULL;
CREATE INDEX audit_sealed_of_owner ON audit (owner, place) WHERE place IS NOT NULL;

-- Where the chain ends.
CREATE TABLE audit_head (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    place    INTEGER NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;

INSERT INTO audit_head (place, hash) VALUES (0, '0000000000000000000000000000000000000000000000000000000000000000');
