-- Rows of these kinds end by themselves: the sweep deletes them when they are due.
DROP INDEX aggregate_expired_answer;
CREATE INDEX aggregate_expired ON aggregate (due_at) WHERE kind IN ('answer', 'denial');
