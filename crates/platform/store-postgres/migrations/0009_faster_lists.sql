-- Whose rows a transaction may touch is asked once for a statement, and not for each row.
ALTER POLICY aggregate_of_owner ON heddle.aggregate
    USING (
        owner = (SELECT current_setting('heddle.owner', true))
        AND (
            (SELECT coalesce(current_setting('heddle.counter_party', true), '') = '')
            OR counter_party IS NULL
            OR counter_party = (SELECT current_setting('heddle.counter_party', true))
        )
    );
ALTER POLICY property_of_owner ON heddle.property
    USING (
        owner = (SELECT current_setting('heddle.owner', true))
        AND (
            (SELECT coalesce(current_setting('heddle.counter_party', true), '') = '')
            OR counter_party IS NULL
            OR counter_party = (SELECT current_setting('heddle.counter_party', true))
        )
    );
