-- Sealing gives entries of the audit log places in a chain; before it, an entry has none. The sealer reads all entries
-- and can change nothing of them but that, once; whoever writes entries cannot say where in the chain they are.
ALTER TABLE heddle.audit ADD COLUMN place bigint, ADD COLUMN hash text COLLATE "C";

CREATE UNIQUE INDEX audit_place ON heddle.audit (place) WHERE place IS NOT NULL;
CREATE INDEX audit_waiting ON heddle.audit (seq) WHERE place IS NULL;
CREATE INDEX audit_sealed_of_owner ON heddle.audit (owner, place) WHERE place IS NOT NULL;

-- Where the chain ends; whoever seals holds this row.
CREATE TABLE heddle.audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    place    bigint  NOT NULL,
    hash     text    COLLATE "C" NOT NULL
);

INSERT INTO heddle.audit_head (place, hash)
VALUES (0, '0000000000000000000000000000000000000000000000000000000000000000');

REVOKE INSERT ON heddle.audit FROM heddle_app;
GRANT INSERT (owner, actor, action, subject, reason, at, trace) ON heddle.audit TO heddle_app;

GRANT USAGE ON SCHEMA heddle TO heddle_auditor;
GRANT SELECT, UPDATE (place, hash) ON heddle.audit TO heddle_auditor;
CREATE POLICY audit_to_read ON heddle.audit FOR SELECT TO heddle_auditor USING (true);
CREATE POLICY audit_to_seal ON heddle.audit FOR UPDATE TO heddle_auditor
    USING (place IS NULL) WITH CHECK (place IS NOT NULL AND hash IS NOT NULL);
GRANT SELECT, UPDATE (place, hash) ON heddle.audit_head TO heddle_auditor;
