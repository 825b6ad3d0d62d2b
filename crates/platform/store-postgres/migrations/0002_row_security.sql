-- Who sees what. Every table with an owner column has row-level security, forced, so that it holds for the owner of
-- the tables too. A transaction names its owner (heddle.owner) and, for a peer, its counter-party
-- (heddle.counter_party); without them it sees nothing.

GRANT USAGE ON SCHEMA heddle TO heddle_app, heddle_worker, heddle_directory, heddle_management, heddle_sweeper;

ALTER TABLE heddle.aggregate ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.aggregate FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heddle.aggregate TO heddle_app;
CREATE POLICY aggregate_of_owner ON heddle.aggregate TO heddle_app
    USING (
        owner = current_setting('heddle.owner', true)
        AND (
            coalesce(current_setting('heddle.counter_party', true), '') = ''
            OR counter_party IS NULL
            OR counter_party = current_setting('heddle.counter_party', true)
        )
    );
GRANT SELECT (kind, due_at), DELETE ON heddle.aggregate TO heddle_sweeper;
CREATE POLICY aggregate_expired_answers ON heddle.aggregate TO heddle_sweeper USING (kind = 'answer');

ALTER TABLE heddle.job ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.job FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heddle.job TO heddle_app;
CREATE POLICY job_of_owner ON heddle.job TO heddle_app USING (owner = current_setting('heddle.owner', true));
-- The claimer is the one reader of all owners' jobs; it can change nothing but leases.
GRANT SELECT, UPDATE (lease_worker, lease_token, lease_until) ON heddle.job TO heddle_worker;
CREATE POLICY job_to_claim ON heddle.job TO heddle_worker USING (true);

ALTER TABLE heddle.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.event FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON heddle.event TO heddle_app;
CREATE POLICY event_of_owner ON heddle.event TO heddle_app USING (owner = current_setting('heddle.owner', true));
GRANT SELECT ON heddle.event TO heddle_management;
CREATE POLICY event_of_management ON heddle.event FOR SELECT TO heddle_management USING (left(owner, 2) <> 'p:');
-- Whoever gives places sees of an event nothing but its number.
GRANT SELECT (seq, place), UPDATE (place) ON heddle.event TO heddle_worker;
CREATE POLICY event_to_place ON heddle.event TO heddle_worker USING (true);

GRANT SELECT, UPDATE (last) ON heddle.event_sequence TO heddle_worker;

ALTER TABLE heddle.audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.audit FORCE ROW LEVEL SECURITY;
-- Appended to, read, never changed.
GRANT SELECT, INSERT ON heddle.audit TO heddle_app;
CREATE POLICY audit_of_owner ON heddle.audit TO heddle_app USING (owner = current_setting('heddle.owner', true));

ALTER TABLE heddle.nonce ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.nonce FORCE ROW LEVEL SECURITY;
GRANT INSERT ON heddle.nonce TO heddle_app;
CREATE POLICY nonce_of_owner ON heddle.nonce FOR INSERT TO heddle_app
    WITH CHECK (owner = current_setting('heddle.owner', true));
GRANT SELECT (expires_at), DELETE ON heddle.nonce TO heddle_sweeper;
CREATE POLICY nonce_expired ON heddle.nonce TO heddle_sweeper USING (true);

ALTER TABLE heddle.directory ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.directory FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heddle.directory TO heddle_app;
CREATE POLICY directory_of_owner ON heddle.directory TO heddle_app
    USING (owner = current_setting('heddle.owner', true));
GRANT SELECT ON heddle.directory TO heddle_directory;
CREATE POLICY directory_published ON heddle.directory FOR SELECT TO heddle_directory USING (true);
