-- Writes that may miss. All statements of a batch are sent before the first answer comes back, so a miss must fail
-- inside the database: it raises, everything after it fails, and COMMIT becomes ROLLBACK. The owner is always that
-- of the transaction, never an argument.
--
--   HD001  the row has another version (or is not there, or is not ours to see)
--   HD002  the lease of a job is not ours

CREATE FUNCTION heddle.save(
    p_kind text, p_id text, p_version bigint, p_document text, p_state text, p_counter_party text,
    p_correlation text, p_reference text, p_unique_key text, p_due_at bigint, p_now bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE heddle.aggregate
    SET version = version + 1, document = p_document, state = p_state, counter_party = p_counter_party,
        correlation = p_correlation, reference = p_reference, unique_key = p_unique_key, due_at = p_due_at,
        updated_at = p_now
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id AND version = p_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
END
$$;

CREATE FUNCTION heddle.remove(p_kind text, p_id text, p_version bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM heddle.aggregate
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id AND version = p_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
END
$$;

-- `p_version` is null when the row must be absent. The row stays as it is until the end of the transaction.
CREATE FUNCTION heddle.check_version(p_kind text, p_id text, p_version bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT version INTO found_version FROM heddle.aggregate
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id
    FOR SHARE;
    IF found_version IS DISTINCT FROM p_version THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
END
$$;

-- Holds the order keys of a batch until its end, in one order for everybody, before any row is locked. Under it
-- "no other job of this key" is true until the commit, and the last one out sees who waits.
CREATE FUNCTION heddle.lock_order_keys(p_order_keys text[], p_jobs text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(lock)
    FROM (
        SELECT DISTINCT hashtextextended(current_setting('heddle.owner') || chr(31) || order_key, 0) AS lock
        FROM (
            SELECT unnest(p_order_keys) AS order_key
            UNION
            SELECT order_key FROM heddle.job WHERE id = ANY (p_jobs)
        ) AS keys
        ORDER BY lock
    ) AS locks;
END
$$;

-- What the caps of a host and the wake-up for it need to know of other owners' jobs: a number and a truth value.
CREATE FUNCTION heddle.leased_for_host(p_host text, p_now bigint)
RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT count(*) FROM heddle.job WHERE host = p_host AND lease_until > p_now
$$;

CREATE FUNCTION heddle.somebody_waits_for_host(p_host text, p_now bigint)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM heddle.job WHERE host = p_host AND NOT buried AND lease_until IS NULL AND due_at <= p_now
    )
$$;

REVOKE EXECUTE ON FUNCTION heddle.leased_for_host(text, bigint) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION heddle.somebody_waits_for_host(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heddle.leased_for_host(text, bigint) TO heddle_app;
GRANT EXECUTE ON FUNCTION heddle.somebody_waits_for_host(text, bigint) TO heddle_app;

-- They run as the claimer, the one role whose policy shows all owners' jobs.
GRANT CREATE ON SCHEMA heddle TO heddle_worker;
ALTER FUNCTION heddle.leased_for_host(text, bigint) OWNER TO heddle_worker;
ALTER FUNCTION heddle.somebody_waits_for_host(text, bigint) OWNER TO heddle_worker;
REVOKE CREATE ON SCHEMA heddle FROM heddle_worker;

-- Enqueues a job, and claims it for `p_worker` (when that is not null) if it is due, nothing stands before it under
-- its key, and the caps leave room. Says whether it did.
CREATE FUNCTION heddle.enqueue(
    p_id text, p_kind text, p_order_key text, p_payload text, p_host text, p_due_at bigint, p_now bigint,
    p_trace text, p_worker text, p_token text, p_until bigint, p_per_owner_max bigint, p_per_host_max bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    this_owner CONSTANT text NOT NULL := current_setting('heddle.owner');
    claimed boolean := p_worker IS NOT NULL AND p_due_at <= p_now;
BEGIN
    claimed := claimed AND NOT EXISTS (
        SELECT FROM heddle.job WHERE owner = this_owner AND order_key = p_order_key AND NOT buried
    );
    claimed := claimed AND p_per_owner_max > (
        SELECT count(*) FROM heddle.job WHERE owner = this_owner AND lease_until > p_now
    );
    claimed := claimed AND (p_host IS NULL OR p_per_host_max > heddle.leased_for_host(p_host, p_now));
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

-- Whether, after a job that called `p_host` has ended, another one may be claimable: one of the owner's (a successor
-- under the same key, or one that waited for the owner's cap), or one that waited for the host.
CREATE FUNCTION heddle.somebody_waits(p_host text, p_now bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM heddle.job
        WHERE owner = current_setting('heddle.owner') AND NOT buried AND lease_until IS NULL AND due_at <= p_now
    ) OR (p_host IS NOT NULL AND heddle.somebody_waits_for_host(p_host, p_now));
END
$$;

CREATE FUNCTION heddle.complete(p_job text, p_token text, p_now bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    called text;
BEGIN
    DELETE FROM heddle.job
    WHERE id = p_job AND owner = current_setting('heddle.owner') AND lease_token = p_token
    RETURNING host INTO called;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost' USING ERRCODE = 'HD002';
    END IF;
    RETURN heddle.somebody_waits(called, p_now);
END
$$;

CREATE FUNCTION heddle.bury(p_job text, p_token text, p_error text, p_now bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    called text;
BEGIN
    UPDATE heddle.job
    SET buried = true, attempts = attempts + 1, last_error = p_error,
        lease_worker = NULL, lease_token = NULL, lease_until = NULL
    WHERE id = p_job AND owner = current_setting('heddle.owner') AND lease_token = p_token
    RETURNING host INTO called;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost' USING ERRCODE = 'HD002';
    END IF;
    RETURN heddle.somebody_waits(called, p_now);
END
$$;

CREATE FUNCTION heddle.reschedule(p_job text, p_token text, p_due_at bigint, p_error text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE heddle.job
    SET attempts = attempts + 1, due_at = p_due_at, last_error = p_error,
        lease_worker = NULL, lease_token = NULL, lease_until = NULL
    WHERE id = p_job AND owner = current_setting('heddle.owner') AND lease_token = p_token;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease lost' USING ERRCODE = 'HD002';
    END IF;
END
$$;
