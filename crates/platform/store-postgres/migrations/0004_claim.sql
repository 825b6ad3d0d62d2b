-- Claims jobs for a worker, fairest first: every owner's first job before anybody's second. Owners are found by
-- skipping through the index, so that a backlog of one of them costs the others nothing. One claim at a time
-- counts against the caps; rows that a commit is about to change are left alone.
CREATE FUNCTION heddle.claim(
    p_worker text, p_token text, p_until bigint, p_now bigint, p_kinds text[], p_limit bigint,
    p_per_owner_max bigint, p_per_host_max bigint
) RETURNS TABLE (
    turn bigint, id text, owner text, kind text, order_key text, payload text, attempts bigint,
    created_at bigint, trace text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    room bigint := p_limit;
    found_now bigint;
    rounds_before bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7, 2);
    -- Every round leaves out what the caps of the rounds before exclude, until there is no room or no job left.
    WHILE room > 0 LOOP
        RETURN QUERY
        WITH RECURSIVE owners AS (
            (SELECT job.owner FROM heddle.job WHERE NOT job.buried ORDER BY job.owner LIMIT 1)
            UNION ALL
            SELECT (
                SELECT job.owner FROM heddle.job
                WHERE NOT job.buried AND job.owner > owners.owner
                ORDER BY job.owner LIMIT 1
            )
            FROM owners WHERE owners.owner IS NOT NULL
        ),
        leased_of_owner AS (
            SELECT job.owner, count(*) AS leased FROM heddle.job WHERE job.lease_until > p_now GROUP BY job.owner
        ),
        leased_for_host AS (
            SELECT job.host, count(*) AS leased FROM heddle.job
            WHERE job.lease_until > p_now AND job.host IS NOT NULL GROUP BY job.host
        ),
        -- The heads of their order keys, no more of an owner than it could ever be given.
        head AS (
            SELECT due.seq, due.host, due.due_at,
                   coalesce(leased_of_owner.leased, 0)
                       + row_number() OVER (PARTITION BY owners.owner ORDER BY due.due_at, due.seq) AS turn
            FROM owners
            CROSS JOIN LATERAL (
                SELECT job.seq, job.host, job.due_at FROM heddle.job
                WHERE job.owner = owners.owner AND NOT job.buried AND job.due_at <= p_now
                  AND (job.lease_until IS NULL OR job.lease_until <= p_now)
                  AND job.kind = ANY (p_kinds)
                  AND NOT EXISTS (
                      SELECT FROM heddle.job AS earlier
                      WHERE earlier.owner = job.owner AND earlier.order_key = job.order_key
                        AND NOT earlier.buried AND earlier.seq < job.seq
                  )
                  AND NOT EXISTS (
                      SELECT FROM leased_for_host
                      WHERE leased_for_host.host = job.host AND leased_for_host.leased >= p_per_host_max
                  )
                ORDER BY job.due_at, job.seq
                LIMIT p_per_owner_max
            ) AS due
            LEFT JOIN leased_of_owner ON leased_of_owner.owner = owners.owner
        ),
        fair AS (
            SELECT head.seq, head.turn, head.due_at,
                   CASE WHEN head.host IS NULL THEN 0
                        ELSE coalesce(leased_for_host.leased, 0)
                            + row_number() OVER (
                                PARTITION BY head.host ORDER BY head.turn, head.due_at, head.seq
                            )
                   END AS turn_of_host
            FROM head LEFT JOIN leased_for_host ON leased_for_host.host = head.host
            WHERE head.turn <= p_per_owner_max
        ),
        chosen AS (
            SELECT fair.seq, row_number() OVER (ORDER BY fair.turn, fair.due_at, fair.seq) AS turn
            FROM fair
            WHERE fair.turn_of_host <= p_per_host_max
            ORDER BY fair.turn, fair.due_at, fair.seq
            LIMIT room
        ),
        locked AS (
            SELECT job.seq FROM heddle.job
            WHERE job.seq IN (SELECT chosen.seq FROM chosen)
              AND NOT job.buried AND job.due_at <= p_now
              AND (job.lease_until IS NULL OR job.lease_until <= p_now)
            FOR UPDATE SKIP LOCKED
        )
        UPDATE heddle.job
        SET lease_worker = p_worker, lease_token = p_token, lease_until = p_until
        FROM locked JOIN chosen ON chosen.seq = locked.seq
        WHERE job.seq = locked.seq
        RETURNING rounds_before + chosen.turn, job.id, job.owner, job.kind, job.order_key, job.payload,
                  job.attempts, job.created_at, job.trace;
        GET DIAGNOSTICS found_now = ROW_COUNT;
        EXIT WHEN found_now = 0;
        rounds_before := rounds_before + p_limit;
        room := room - found_now;
    END LOOP;
END
$$;

-- Gives the next places to at most `p_limit` events that have none, in the order of their insertion; says how many.
-- An event gets its place after its commit, and places become visible in their order, so a cursor skips nothing.
CREATE FUNCTION heddle.place_events(p_limit bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last_place bigint;
    placed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM heddle.event WHERE place IS NULL) THEN
        RETURN 0;
    END IF;
    SELECT last INTO last_place FROM heddle.event_sequence FOR UPDATE;
    UPDATE heddle.event
    SET place = numbered.place
    FROM (
        SELECT waiting.seq, last_place + row_number() OVER (ORDER BY waiting.seq) AS place
        FROM (SELECT seq FROM heddle.event WHERE place IS NULL ORDER BY seq LIMIT p_limit) AS waiting
    ) AS numbered
    WHERE event.seq = numbered.seq;
    GET DIAGNOSTICS placed = ROW_COUNT;
    UPDATE heddle.event_sequence SET last = last_place + placed;
    RETURN placed;
END
$$;
