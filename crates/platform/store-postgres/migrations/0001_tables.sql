-- Keys are compared byte by byte (COLLATE "C"): they are opaque, and their order must not depend on the server's
-- language. Documents are text on purpose: no query looks into them.

CREATE TABLE heddle.aggregate (
    owner         text   COLLATE "C" NOT NULL,
    kind          text   COLLATE "C" NOT NULL,
    id            text   COLLATE "C" NOT NULL,
    version       bigint NOT NULL,
    document      text   NOT NULL,
    state         text   COLLATE "C",
    counter_party text   COLLATE "C",
    correlation   text   COLLATE "C",
    reference     text   COLLATE "C",
    unique_key    text   COLLATE "C",
    due_at        bigint,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    PRIMARY KEY (owner, kind, id)
);

CREATE UNIQUE INDEX aggregate_unique_key ON heddle.aggregate (owner, kind, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX aggregate_created ON heddle.aggregate (owner, kind, created_at, id);
CREATE INDEX aggregate_state ON heddle.aggregate (owner, kind, state, id) WHERE state IS NOT NULL;
CREATE INDEX aggregate_counter_party ON heddle.aggregate (owner, kind, counter_party)
    WHERE counter_party IS NOT NULL;
CREATE INDEX aggregate_correlation ON heddle.aggregate (owner, kind, correlation) WHERE correlation IS NOT NULL;
CREATE INDEX aggregate_reference ON heddle.aggregate (owner, kind, reference) WHERE reference IS NOT NULL;
CREATE INDEX aggregate_due ON heddle.aggregate (owner, kind, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX aggregate_expired_answer ON heddle.aggregate (due_at) WHERE kind = 'answer';

-- Jobs. `seq` is the order within an order key; a finished job is deleted, a buried one stays for a person.
CREATE TABLE heddle.job (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           text    COLLATE "C" NOT NULL UNIQUE,
    owner        text    COLLATE "C" NOT NULL,
    kind         text    COLLATE "C" NOT NULL,
    order_key    text    COLLATE "C" NOT NULL,
    payload      text    NOT NULL,
    host         text    COLLATE "C",
    attempts     bigint  NOT NULL DEFAULT 0,
    due_at       bigint  NOT NULL,
    lease_worker text,
    lease_token  text,
    lease_until  bigint,
    trace        text,
    last_error   text,
    buried       boolean NOT NULL DEFAULT false,
    created_at   bigint  NOT NULL
)
-- Every job is written once and changed a few times within seconds: leave room for that, and clean up early.
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE INDEX job_order ON heddle.job (owner, order_key, seq) WHERE NOT buried;
CREATE INDEX job_by_owner ON heddle.job (owner, due_at, seq) WHERE NOT buried;
CREATE INDEX job_waiting ON heddle.job (due_at) WHERE NOT buried AND lease_until IS NULL;
CREATE INDEX job_waiting_for_host ON heddle.job (host, due_at)
    WHERE NOT buried AND lease_until IS NULL AND host IS NOT NULL;
CREATE INDEX job_leased ON heddle.job (owner, lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX job_leased_for_host ON heddle.job (host, lease_until)
    WHERE lease_until IS NOT NULL AND host IS NOT NULL;

-- Events. `seq` is the order of insertion; transactions commit in another one. So an event has no place when it
-- is inserted, is given the next one after its commit (heddle.place_events), and is not read before.
CREATE TABLE heddle.event (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place   bigint,
    owner   text   COLLATE "C" NOT NULL,
    kind    text   NOT NULL,
    subject text   NOT NULL,
    payload text   NOT NULL,
    at      bigint NOT NULL,
    trace   text
);

CREATE UNIQUE INDEX event_place ON heddle.event (place);
CREATE INDEX event_without_place ON heddle.event (seq) WHERE place IS NULL;
CREATE INDEX event_by_owner ON heddle.event (owner, place) WHERE place IS NOT NULL;
CREATE INDEX event_of_management ON heddle.event (place) WHERE place IS NOT NULL AND left(owner, 2) <> 'p:';

-- The last place that was given; whoever gives places holds this row.
CREATE TABLE heddle.event_sequence (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last     bigint  NOT NULL
);

INSERT INTO heddle.event_sequence (last) VALUES (0);

CREATE TABLE heddle.audit (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner   text   COLLATE "C" NOT NULL,
    actor   text   NOT NULL,
    action  text   NOT NULL,
    subject text   NOT NULL,
    reason  text,
    at      bigint NOT NULL,
    trace   text
);

CREATE INDEX audit_by_owner ON heddle.audit (owner, seq);

CREATE TABLE heddle.nonce (
    owner      text   COLLATE "C" NOT NULL,
    value      text   COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (owner, value)
);

CREATE INDEX nonce_expiry ON heddle.nonce (expires_at);

CREATE TABLE heddle.directory (
    kind  text COLLATE "C" NOT NULL,
    key   text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (kind, key)
);
