-- Aggregates: one JSON document each, with the columns that queries and uniqueness need beside it.
-- A rowid table on purpose: documents of one or two kilobytes would spill out of every page of a clustered key.
CREATE TABLE aggregate (
    owner         TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    document      TEXT    NOT NULL,
    state         TEXT,
    counter_party TEXT,
    correlation   TEXT,
    reference     TEXT,
    unique_key    TEXT,
    due_at        INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (owner, kind, id)
) STRICT;

CREATE UNIQUE INDEX aggregate_unique_key ON aggregate (owner, kind, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX aggregate_created ON aggregate (owner, kind, created_at, id);
CREATE INDEX aggregate_state ON aggregate (owner, kind, state, id) WHERE state IS NOT NULL;
CREATE INDEX aggregate_counter_party ON aggregate (owner, kind, counter_party) WHERE counter_party IS NOT NULL;
CREATE INDEX aggregate_correlation ON aggregate (owner, kind, correlation) WHERE correlation IS NOT NULL;
CREATE INDEX aggregate_reference ON aggregate (owner, kind, reference) WHERE reference IS NOT NULL;
CREATE INDEX aggregate_due ON aggregate (owner, kind, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX aggregate_expired_answer ON aggregate (due_at) WHERE kind = 'answer';

-- Jobs. `seq` is the order within an order key; a finished job is deleted, a buried one stays for a person.
CREATE TABLE job (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    owner        TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    order_key    TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    host         TEXT,
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL,
    lease_worker TEXT,
    lease_token  TEXT,
    lease_until  INTEGER,
    trace        TEXT,
    last_error   TEXT,
    buried       INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX job_order ON job (owner, order_key, seq) WHERE buried = 0;
CREATE INDEX job_by_owner ON job (owner, due_at, seq) WHERE buried = 0;
CREATE INDEX job_waiting ON job (due_at) WHERE buried = 0 AND lease_until IS NULL;
CREATE INDEX job_waiting_for_host ON job (host, due_at)
    WHERE buried = 0 AND lease_until IS NULL AND host IS NOT NULL;
CREATE INDEX job_leased ON job (owner, lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX job_leased_for_host ON job (host, lease_until) WHERE lease_until IS NOT NULL AND host IS NOT NULL;

-- Events. There is one writer, so the order of insertion is the order of visibility: `seq` is the cursor.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    owner   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    payload TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    trace   TEXT
) STRICT;

CREATE INDEX event_by_owner ON event (owner, seq);
CREATE INDEX event_of_management ON event (seq) WHERE substr(owner, 1, 2) <> 'p:';

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    owner   TEXT    NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    reason  TEXT,
    at      INTEGER NOT NULL,
    trace   TEXT
) STRICT;

CREATE INDEX audit_by_owner ON audit (owner, seq);

CREATE TABLE nonce (
    owner      TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX nonce_expiry ON nonce (expires_at);

CREATE TABLE directory (
    kind  TEXT NOT NULL,
    key   TEXT NOT NULL,
    owner TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;
