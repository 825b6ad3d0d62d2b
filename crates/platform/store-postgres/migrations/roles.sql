-- The roles that the store works under. They belong to the whole cluster, so they are looked for at every start.
-- None can log in and none bypasses row-level security; the login role is made a member, so that it can become them.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'heddle_app',        -- one owner's rows
        'heddle_worker',     -- claims jobs, gives events their places
        'heddle_directory',  -- published rows
        'heddle_management', -- events of the installation and of tenants
        'heddle_sweeper',    -- deletes what has expired
        'heddle_auditor',    -- seals and reads the audit log
        'heddle_indexer'     -- finds documents whose properties are not stored
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
        END IF;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;
