-- The jobs that may be leased now, fairest first: every owner's first job before anybody's second.
-- Owners are found by skipping through the index, so that a backlog of one of them costs the others nothing.
WITH RECURSIVE
owners (owner) AS (
    SELECT min(owner) FROM job WHERE buried = 0
    UNION ALL
    SELECT (SELECT min(owner) FROM job WHERE buried = 0 AND owner > owners.owner)
    FROM owners WHERE owners.owner IS NOT NULL
),
leased_of_owner (owner, leased) AS (
    SELECT owner, count(*) FROM job WHERE lease_until > :now GROUP BY owner
),
leased_for_host (host, leased) AS (
    SELECT host, count(*) FROM job WHERE lease_until > :now AND host IS NOT NULL GROUP BY host
),
-- The heads of their order keys, no more of an owner than it could ever be given.
head AS (
    SELECT job.seq, job.owner, job.host, job.due_at,
           coalesce(leased_of_owner.leased, 0)
               + row_number() OVER (PARTITION BY job.owner ORDER BY job.due_at, job.seq) AS turn
    FROM owners
    CROSS JOIN job
    LEFT JOIN leased_of_owner ON leased_of_owner.owner = owners.owner
    WHERE owners.owner IS NOT NULL
      AND job.seq IN (
          SELECT due.seq FROM job AS due
          WHERE due.owner = owners.owner AND due.buried = 0 AND due.due_at <= :now
            AND (due.lease_until IS NULL OR due.lease_until <= :now)
            AND due.kind IN (SELECT value FROM json_each(:kinds))
            AND NOT EXISTS (
                SELECT 1 FROM job AS earlier
                WHERE earlier.owner = due.owner AND earlier.order_key = due.order_key
                  AND earlier.buried = 0 AND earlier.seq < due.seq
            )
            AND (due.host IS NULL OR due.host NOT IN (
                SELECT host FROM leased_for_host WHERE leased >= :per_host_max
            ))
          ORDER BY due.due_at, due.seq
          LIMIT :per_owner_max
      )
),
fair AS (
    SELECT head.seq, head.turn, head.due_at,
           CASE WHEN head.host IS NULL THEN 0
                ELSE coalesce(leased_for_host.leased, 0)
                    + row_number() OVER (PARTITION BY head.host ORDER BY head.turn, head.due_at, head.seq)
           END AS turn_of_host
    FROM head LEFT JOIN leased_for_host ON leased_for_host.host = head.host
    WHERE head.turn <= :per_owner_max
)
SELECT seq FROM fair
WHERE turn_of_host <= :per_host_max
ORDER BY turn, due_at, seq
LIMIT :limit
