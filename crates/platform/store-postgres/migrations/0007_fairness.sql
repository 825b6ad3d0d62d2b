-- Claims go round the owners, and within an owner round the hosts that its jobs call: pairs of both are found by
-- skipping through this index, so that a backlog for one host is never read through.
CREATE INDEX job_by_host ON heddle.job (owner, coalesce(host, ''), due_at, seq) WHERE NOT buried;

-- When a job was set aside, for whoever looks at it.
ALTER TABLE heddle.job ADD COLUMN buried_at bigint;
CREATE INDEX job_buried ON heddle.job (id) WHERE buried;
CREATE INDEX job_buried_of_owner ON heddle.job (owner, id) WHERE buried;

-- An operator sees of everybody's jobs those that were set aside, and of them nothing that they carry.
GRANT SELECT (id, owner, kind, order_key, host, attempts, created_at, buried, buried_at, last_error, trace)
    ON heddle.job TO heddle_management;
CREATE POLICY job_set_aside ON heddle.job FOR SELECT TO heddle_management USING (buried);

CREATE OR REPLACE FUNCTION heddle.bury(p_job text, p_token text, p_error text, p_now bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    called text;
BEGIN
    UPDATE heddle.job
    SET buried = true, buried_at = p_now, attempts = attempts + 1, last_error = p_error,
        lease_worker = NULL, lease_token = NULL, lease_until = NULL
    WHERE id = p_job AND owner = current_setting('heddle.owner') AND lease_token = p_token
    RETURNING host INTO called;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost' USING ERRCODE = 'HD002';
    END IF;
    RETURN heddle.somebody_waits(called, p_now);
END
$$;

-- A job that was set aside runs once more, as if it were enqueued now: its successors have gone on without it, and one
-- of them may be leased at this moment, so it goes behind all of its key.
CREATE FUNCTION heddle.replay(p_job text, p_now bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE heddle.job
    SET seq = DEFAULT, buried = false, buried_at = NULL, attempts = 0, due_at = p_now
    WHERE id = p_job AND owner = current_setting('heddle.owner') AND buried;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
END
$$;

CREATE FUNCTION heddle.discard(p_job text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM heddle.job WHERE id = p_job AND owner = current_setting('heddle.owner') AND buried;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
END
$$;

-- As before; and of the owner's places no host gets more than half.
CREATE OR REPLACE FUNCTION heddle.enqueue(
    p_id text, p_kind text, p_order_key text, p_payload text, p_host text, p_due_at bigint, p_now bigint,
    p_trace text, p_worker text, p_token text, p_until bigint, p_per_owner_max bigint, p_per_host_max bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    this_owner CONSTANT text NOT NULL := current_setting('heddle.owner');
    claimed boolean := p_worker IS NOT NULL AND p_due_at <= p_now;
    of_owner bigint;
    of_both bigint;
BEGIN
    claimed := claimed AND NOT EXISTS (
        SELECT FROM heddle.job WHERE owner = this_owner AND order_key = p_order_key AND NOT buried
    );
    IF claimed THEN
        SELECT count(*), count(*) FILTER (WHERE host = p_host) INTO of_owner, of_both
        FROM heddle.job WHERE owner = this_owner AND lease_until > p_now;
        claimed := of_owner < p_per_owner_max AND (
            p_host IS NULL
            OR of_both < (p_per_owner_max + 1) / 2 AND p_per_host_max > heddle.leased_for_host(p_host, p_now)
        );
    END IF;
    INSERT INTO heddle.job (
        id, owner, kind, order_key, payload, host, due_at, trace, created_at,
        lease_worker, lease_token, lease_until
    ) VALUES (
        p_id, this_owner, p_kind, p_order_key, p_payload, p_host, p_due_at, p_trace, p_now,
        CASE WHEN claimed THEN p_worker END, CASE WHEN claimed THEN p_token END,
        CASE WHEN claimed THEN p_until END
    );
    RETURN claimed;
END
$$;

-- Claims jobs for a worker in the order of the round: one of every owner, beginning behind `p_after`, before a second
-- one of anybody. Owners, and the hosts that their jobs call, are found by skipping through the index, so that a
-- backlog costs nobody anything, neither for one owner nor for one host. One claim at a time counts against the caps;
-- rows that a commit is about to change are left alone. The claim with fewer arguments is that of earlier releases.
CREATE FUNCTION heddle.claim(
    p_worker text, p_token text, p_until bigint, p_now bigint, p_kinds text[], p_limit bigint,
    p_per_owner_max bigint, p_per_host_max bigint, p_per_owner_and_host_max bigint, p_after text
) RETURNS TABLE (
    turn bigint, id text, owner text, kind text, order_key text, payload text, attempts bigint,
    created_at bigint, trace text
) LANGUAGE plpgsql
-- A plan that was made when the table was small is kept: it must not read a table that has grown from end to end.
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    room bigint := p_limit;
    behind text COLLATE "C" := p_after;
    found_now bigint;
    rounds_before bigint := 0;
    last_turn bigint;
    served text COLLATE "C";
BEGIN
    PERFORM pg_advisory_xact_lock(7, 2);
    -- Every round leaves out what the caps of the rounds before exclude, until there is no room or no job left.
    WHILE room > 0 LOOP
        found_now := 0;
        FOR turn, id, owner, kind, order_key, payload, attempts, created_at, trace IN
        WITH RECURSIVE
        -- What waits, unless it is much: then nobody needs to look for it.
        waiting AS MATERIALIZED (
            SELECT job.owner, coalesce(job.host, '') AS host FROM heddle.job
            WHERE NOT job.buried AND job.lease_until IS NULL AND job.due_at <= p_now ORDER BY job.due_at LIMIT 256
        ),
        -- Else the first job of every owner and host, skipping what is behind it.
        first (owner, host, due_at) AS (
            (SELECT job.owner, coalesce(job.host, ''), job.due_at FROM heddle.job
             WHERE NOT job.buried AND (SELECT count(*) FROM waiting) = 256
             ORDER BY job.owner, coalesce(job.host, ''), job.due_at, job.seq LIMIT 1)
            UNION ALL
            SELECT next.owner, next.host, next.due_at
            FROM first CROSS JOIN LATERAL (
                (SELECT other.owner, coalesce(other.host, '') AS host, other.due_at FROM heddle.job AS other
                 WHERE NOT other.buried AND other.owner = first.owner AND coalesce(other.host, '') > first.host
                 ORDER BY other.owner, coalesce(other.host, ''), other.due_at, other.seq LIMIT 1)
                UNION ALL
                (SELECT other.owner, coalesce(other.host, ''), other.due_at FROM heddle.job AS other
                 WHERE NOT other.buried AND other.owner > first.owner
                 ORDER BY other.owner, coalesce(other.host, ''), other.due_at, other.seq LIMIT 1)
                LIMIT 1
            ) AS next
        ),
        pair AS MATERIALIZED (
            SELECT waiting.owner, waiting.host FROM waiting WHERE (SELECT count(*) FROM waiting) < 256
            UNION
            SELECT job.owner, coalesce(job.host, '') FROM heddle.job WHERE job.lease_until <= p_now
            UNION
            SELECT first.owner, first.host FROM first WHERE first.due_at <= p_now
        ),
        leased AS MATERIALIZED (
            SELECT job.owner, coalesce(job.host, '') AS host FROM heddle.job WHERE job.lease_until > p_now
        ),
        -- Owners and hosts that there is room for.
        place AS MATERIALIZED (
            SELECT * FROM (
                SELECT pair.owner, pair.host,
                       (SELECT count(*) FROM leased WHERE leased.owner = pair.owner) AS of_owner,
                       (SELECT count(*) FROM leased
                        WHERE leased.owner = pair.owner AND leased.host = pair.host) AS of_pair,
                       (SELECT count(*) FROM leased WHERE leased.host = pair.host) AS for_host
                FROM pair
            ) AS counted
            WHERE counted.of_owner < p_per_owner_max
              AND (counted.host = '' OR (
                  counted.of_pair < p_per_owner_and_host_max AND counted.for_host < p_per_host_max
              ))
        ),
        -- How many jobs of one owner this round of the claim can need.
        turns AS MATERIALIZED (
            SELECT least(p_per_owner_max, room / greatest(1, count(DISTINCT place.owner)) + 1) AS most FROM place
        ),
        -- The heads of their order keys.
        head AS (
            SELECT due.seq, due.due_at, place.*,
                   row_number() OVER (
                       PARTITION BY place.owner, place.host ORDER BY due.due_at, due.seq
                   ) AS turn_of_pair
            FROM place
            CROSS JOIN LATERAL (
                SELECT job.seq, job.due_at FROM heddle.job
                WHERE job.owner = place.owner AND coalesce(job.host, '') = place.host
                  AND NOT job.buried AND job.due_at <= p_now
                  AND (job.lease_until IS NULL OR job.lease_until <= p_now)
                  AND job.kind = ANY (p_kinds)
                  AND NOT EXISTS (
                      SELECT FROM heddle.job AS earlier
                      WHERE earlier.owner = job.owner AND earlier.order_key = job.order_key
                        AND NOT earlier.buried AND earlier.seq < job.seq
                  )
                ORDER BY job.owner, coalesce(job.host, ''), job.due_at, job.seq
                LIMIT (SELECT most FROM turns)
            ) AS due
        ),
        -- An owner's turns go round its hosts: whom it has called least, first.
        turned AS (
            SELECT head.*,
                   row_number() OVER (
                       PARTITION BY head.owner
                       ORDER BY head.of_pair + head.turn_of_pair, head.due_at, head.seq
                   ) AS turn
            FROM head
            WHERE head.host = '' OR head.of_pair + head.turn_of_pair <= p_per_owner_and_host_max
        ),
        fair AS (
            SELECT turned.seq, turned.owner, turned.host, turned.turn,
                   turned.for_host + row_number() OVER (
                       PARTITION BY turned.host
                       ORDER BY turned.turn, turned.owner <= behind, turned.owner
                   ) AS turn_of_host
            FROM turned
            WHERE turned.of_owner + turned.turn <= p_per_owner_max
              AND turned.turn <= (SELECT most FROM turns)
        ),
        chosen AS MATERIALIZED (
            SELECT fair.seq, row_number() OVER (
                       ORDER BY fair.turn, fair.owner <= behind, fair.owner
                   ) AS turn
            FROM fair
            WHERE fair.host = '' OR fair.turn_of_host <= p_per_host_max
            ORDER BY fair.turn, fair.owner <= behind, fair.owner
            LIMIT room
        ),
        locked AS MATERIALIZED (
            SELECT job.seq FROM heddle.job
            WHERE job.seq = ANY (ARRAY(SELECT chosen.seq FROM chosen))
              AND NOT job.buried AND job.due_at <= p_now
              AND (job.lease_until IS NULL OR job.lease_until <= p_now)
            FOR UPDATE SKIP LOCKED
        )
        UPDATE heddle.job
        SET lease_worker = p_worker, lease_token = p_token, lease_until = p_until
        FROM locked JOIN chosen ON chosen.seq = locked.seq
        WHERE job.seq = locked.seq
        RETURNING rounds_before + chosen.turn, job.id, job.owner, job.kind, job.order_key, job.payload,
                  job.attempts, job.created_at, job.trace
        LOOP
            found_now := found_now + 1;
            IF last_turn IS NULL OR turn > last_turn THEN
                last_turn := turn;
                served := owner;
            END IF;
            RETURN NEXT;
        END LOOP;
        EXIT WHEN found_now = 0;
        behind := served;
        rounds_before := rounds_before + p_limit;
        room := room - found_now;
    END LOOP;
END
$$;
