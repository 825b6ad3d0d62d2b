-- Rows of these kinds end by themselves: the sweep deletes them when they are due, and may delete no others.
DROP INDEX heddle.aggregate_expired_answer;
CREATE INDEX aggregate_expired ON heddle.aggregate (due_at) WHERE kind IN ('answer', 'denial');
DROP POLICY aggregate_expired_answers ON heddle.aggregate;
CREATE POLICY aggregate_expired ON heddle.aggregate TO heddle_sweeper USING (kind IN ('answer', 'denial'));
