-- The jobs that may be leased now, in the order of the round: one of every owner, beginning behind the owner that
-- was served last, before a second one of anybody. Owners, and the hosts that their jobs call, are found by skipping
-- through the index, so that a backlog costs nobody anything, neither for one owner nor for one host.
WITH RECURSIVE
-- What waits, unless it is much: then nobody needs to look for it.
waiting (owner, host) AS MATERIALIZED (
    SELECT owner, coalesce(host, '') FROM job
    WHERE buried = 0 AND lease_until IS NULL AND due_at <= :now ORDER BY due_at LIMIT 256
),
-- Else the first job of every owner and host, skipping what is behind it.
first (seq) AS (
    SELECT (SELECT seq FROM job WHERE buried = 0 AND owner > ''
            ORDER BY owner, coalesce(host, ''), due_at, seq LIMIT 1)
    WHERE (SELECT count(*) FROM waiting) = 256
    UNION ALL
    SELECT coalesce(
        (SELECT other.seq FROM job AS other
         WHERE other.buried = 0 AND other.owner = job.owner AND coalesce(other.host, '') > coalesce(job.host, '')
         ORDER BY other.owner, coalesce(other.host, ''), other.due_at, other.seq LIMIT 1),
        (SELECT other.seq FROM job AS other
         WHERE other.buried = 0 AND other.owner > job.owner
         ORDER BY other.owner, coalesce(other.host, ''), other.due_at, other.seq LIMIT 1)
    )
    FROM first CROSS JOIN job ON job.seq = first.seq
),
pair (owner, host) AS MATERIALIZED (
    SELECT owner, host FROM waiting WHERE (SELECT count(*) FROM waiting) < 256
    UNION
    SELECT owner, coalesce(host, '') FROM job WHERE lease_until <= :now
    UNION
    SELECT job.owner, coalesce(job.host, '') FROM first CROSS JOIN job ON job.seq = first.seq
    WHERE job.due_at <= :now
),
leased (owner, host) AS MATERIALIZED (
    SELECT owner, coalesce(host, '') FROM job WHERE lease_until > :now
),
-- Owners and hosts that there is room for.
place (owner, host, of_owner, of_pair, for_host) AS MATERIALIZED (
    SELECT * FROM (
        SELECT pair.owner AS owner, pair.host AS host,
               (SELECT count(*) FROM leased WHERE leased.owner = pair.owner) AS of_owner,
               (SELECT count(*) FROM leased
                WHERE leased.owner = pair.owner AND leased.host = pair.host) AS of_pair,
               (SELECT count(*) FROM leased WHERE leased.host = pair.host) AS for_host
        FROM pair
    )
    WHERE of_owner < :per_owner_max
      AND (host = '' OR (of_pair < :per_owner_and_host_max AND for_host < :per_host_max))
),
-- How many jobs of one owner this round of the claim can need.
turns (most) AS MATERIALIZED (
    SELECT min(:per_owner_max, :limit / max(1, count(DISTINCT owner)) + 1) FROM place
),
-- The heads of their order keys.
head AS (
    SELECT job.seq, job.due_at, place.*,
           row_number() OVER (PARTITION BY place.owner, place.host ORDER BY job.due_at, job.seq) AS turn_of_pair
    FROM place
    CROSS JOIN job
    WHERE job.seq IN (
        SELECT due.seq FROM job AS due
        WHERE due.owner = place.owner AND coalesce(due.host, '') = place.host
          AND due.buried = 0 AND due.due_at <= :now
          AND (due.lease_until IS NULL OR due.lease_until <= :now)
          AND due.kind IN (SELECT value FROM json_each(:kinds))
          AND NOT EXISTS (
              SELECT 1 FROM job AS earlier
              WHERE earlier.owner = due.owner AND earlier.order_key = due.order_key
                AND earlier.buried = 0 AND earlier.seq < due.seq
          )
        ORDER BY due.due_at, due.seq
        LIMIT (SELECT most FROM turns)
    )
),
-- An owner's turns go round its hosts: whom it has called least, first.
turned AS (
    SELECT head.*,
           row_number() OVER (
               PARTITION BY owner ORDER BY of_pair + turn_of_pair, due_at, seq
           ) AS turn
    FROM head
    WHERE host = '' OR of_pair + turn_of_pair <= :per_owner_and_host_max
),
fair AS (
    SELECT seq, owner, host, turn,
           for_host + row_number() OVER (PARTITION BY host ORDER BY turn, owner <= :after, owner) AS turn_of_host
    FROM turned
    WHERE of_owner + turn <= :per_owner_max AND turn <= (SELECT most FROM turns)
)
SELECT seq, owner FROM fair
WHERE host = '' OR turn_of_host <= :per_host_max
ORDER BY turn, owner <= :after, owner
LIMIT :limit
