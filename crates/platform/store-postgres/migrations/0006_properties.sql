-- What documents can be filtered and sorted by: one row for each value at a path. `text` is the beginning of the text
-- (256 bytes: an index row has its limits), `long` all of it when there is more, `folded` its small letters when they
-- are other than ASCII's. `counter_party` is the document's, for the same policy.

CREATE TABLE heddle.property (
    owner         text    COLLATE "C" NOT NULL,
    kind          text    COLLATE "C" NOT NULL,
    id            text    COLLATE "C" NOT NULL,
    path          text    COLLATE "C" NOT NULL,
    item          integer NOT NULL,
    text          text    COLLATE "C" NOT NULL,
    long          text    COLLATE "C",
    folded        text    COLLATE "C",
    number        double precision,
    counter_party text    COLLATE "C",
    PRIMARY KEY (owner, kind, id, path, item)
);

CREATE INDEX property_text ON heddle.property (owner, kind, path, text, id);
CREATE INDEX property_number ON heddle.property (owner, kind, path, number, id) WHERE number IS NOT NULL;
CREATE INDEX property_listed ON heddle.property (owner, kind, path, id) WHERE item > 0;

ALTER TABLE heddle.property ENABLE ROW LEVEL SECURITY;
ALTER TABLE heddle.property FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heddle.property TO heddle_app;
CREATE POLICY property_of_owner ON heddle.property TO heddle_app
    USING (
        owner = current_setting('heddle.owner', true)
        AND (
            coalesce(current_setting('heddle.counter_party', true), '') = ''
            OR counter_party IS NULL
            OR counter_party = current_setting('heddle.counter_party', true)
        )
    );

-- 1 for a document whose properties were not stored with it: every one that is older than this table, and every one
-- that an older release writes beside this one. It is in no index but this one, and stays as it is when a document is
-- saved, so that an update still touches no index.
ALTER TABLE heddle.aggregate ADD COLUMN unindexed integer NOT NULL DEFAULT 1;
CREATE INDEX aggregate_unindexed ON heddle.aggregate (kind, owner) WHERE unindexed = 1;

-- Whoever looks for such documents sees whose they are, and nothing of them.
GRANT USAGE ON SCHEMA heddle TO heddle_indexer;
GRANT SELECT (kind, owner, unindexed) ON heddle.aggregate TO heddle_indexer;
CREATE POLICY aggregate_to_index ON heddle.aggregate FOR SELECT TO heddle_indexer USING (unindexed = 1);

-- Called by releases that know nothing of properties.
CREATE OR REPLACE FUNCTION heddle.save(
    p_kind text, p_id text, p_version bigint, p_document text, p_state text, p_counter_party text,
    p_correlation text, p_reference text, p_unique_key text, p_due_at bigint, p_now bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE heddle.aggregate
    SET version = version + 1, document = p_document, state = p_state, counter_party = p_counter_party,
        correlation = p_correlation, reference = p_reference, unique_key = p_unique_key, due_at = p_due_at,
        updated_at = p_now, unindexed = 1
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id AND version = p_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION heddle.remove(p_kind text, p_id text, p_version bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM heddle.aggregate
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id AND version = p_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
    DELETE FROM heddle.property
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id;
END
$$;

-- The properties of one document, in place of those that it had. What stays as it is is not written.
CREATE FUNCTION heddle.index_properties(
    p_kind text, p_id text, p_counter_party text, p_paths text[], p_items integer[], p_texts text[],
    p_longs text[], p_foldeds text[], p_numbers double precision[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this_owner CONSTANT text NOT NULL := current_setting('heddle.owner');
BEGIN
    DELETE FROM heddle.property AS had
    WHERE had.owner = this_owner AND had.kind = p_kind AND had.id = p_id AND NOT EXISTS (
        SELECT FROM unnest(p_paths, p_items) AS has (path, item)
        WHERE has.path = had.path AND has.item = had.item
    );
    INSERT INTO heddle.property AS had (
        owner, kind, id, path, item, text, long, folded, number, counter_party
    )
    SELECT this_owner, p_kind, p_id, has.path, has.item, has.text, has.long, has.folded, has.number, p_counter_party
    FROM unnest(p_paths, p_items, p_texts, p_longs, p_foldeds, p_numbers)
        AS has (path, item, text, long, folded, number)
    ON CONFLICT (owner, kind, id, path, item) DO UPDATE
    SET text = excluded.text, long = excluded.long, folded = excluded.folded, number = excluded.number,
        counter_party = excluded.counter_party
    WHERE (had.text, had.long, had.folded, had.number, had.counter_party)
        IS DISTINCT FROM
        (excluded.text, excluded.long, excluded.folded, excluded.number, excluded.counter_party);
END
$$;

-- As heddle.save, with the properties; `p_paths` is null for a kind that nobody filters.
CREATE FUNCTION heddle.save_with_properties(
    p_kind text, p_id text, p_version bigint, p_document text, p_state text, p_counter_party text,
    p_correlation text, p_reference text, p_unique_key text, p_due_at bigint, p_now bigint,
    p_paths text[], p_items integer[], p_texts text[], p_longs text[], p_foldeds text[],
    p_numbers double precision[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE heddle.aggregate
    SET version = version + 1, document = p_document, state = p_state, counter_party = p_counter_party,
        correlation = p_correlation, reference = p_reference, unique_key = p_unique_key, due_at = p_due_at,
        updated_at = p_now, unindexed = 0
    WHERE owner = current_setting('heddle.owner') AND kind = p_kind AND id = p_id AND version = p_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'HD001';
    END IF;
    IF p_paths IS NOT NULL THEN
        PERFORM heddle.index_properties(
            p_kind, p_id, p_counter_party, p_paths, p_items, p_texts, p_longs, p_foldeds, p_numbers);
    END IF;
END
$$;

CREATE FUNCTION heddle.insert_with_properties(
    p_kind text, p_id text, p_document text, p_state text, p_counter_party text,
    p_correlation text, p_reference text, p_unique_key text, p_due_at bigint, p_now bigint,
    p_paths text[], p_items integer[], p_texts text[], p_longs text[], p_foldeds text[],
    p_numbers double precision[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO heddle.aggregate (
        owner, kind, id, version, document, state, counter_party, correlation, reference, unique_key, due_at,
        created_at, updated_at, unindexed
    ) VALUES (
        current_setting('heddle.owner'), p_kind, p_id, 1, p_document, p_state, p_counter_party, p_correlation,
        p_reference, p_unique_key, p_due_at, p_now, p_now, 0
    );
    PERFORM heddle.index_properties(
        p_kind, p_id, p_counter_party, p_paths, p_items, p_texts, p_longs, p_foldeds, p_numbers);
END
$$;
