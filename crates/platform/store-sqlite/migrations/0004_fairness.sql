-- Claims go round the owners, and within an owner round the hosts that its jobs call: pairs of both are found by
-- skipping through this index, so that a backlog for one host is never read through.
CREATE INDEX job_by_host ON job (owner, coalesce(host, ''), due_at, seq) WHERE buried = 0;

-- When a job was set aside, for whoever looks at it.
ALTER TABLE job ADD COLUMN buried_at INTEGER;
CREATE INDEX job_buried ON job (id) WHERE buried = 1;
CREATE INDEX job_buried_of_owner ON job (owner, id) WHERE buried = 1;
