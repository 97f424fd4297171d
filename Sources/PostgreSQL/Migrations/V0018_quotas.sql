-- Logical bytes of a tenant, whatever way they came in (HTTP contract, 7.5 and section 9, row 49): upload sessions as before,
-- files and copies published without a session, original documents, attestations. SQLite's file has the same tables and
-- columns.

-- A tenant's usage is the sum of its slots. A transaction adds to a slot that no other transaction holds, so concurrent
-- writers never wait for each other, and there are never more slots than there were concurrent transactions.
ALTER TABLE tenant_usage RENAME TO tenant_usage_slots;
ALTER TABLE tenant_usage_slots ADD COLUMN slot bigint NOT NULL DEFAULT 0;
ALTER TABLE tenant_usage_slots DROP CONSTRAINT tenant_usage_pkey;
ALTER TABLE tenant_usage_slots ADD PRIMARY KEY (tenant_id, slot);

CREATE VIEW tenant_usage AS
SELECT tenant_id, CAST(SUM(logical_bytes) AS bigint) AS logical_bytes, CAST(SUM(open_sessions) AS bigint) AS open_sessions
FROM tenant_usage_slots GROUP BY tenant_id;

-- The update is a statement of its own: it has to see the row as it was when it was locked.
CREATE OR REPLACE FUNCTION add_tenant_usage(tenant uuid, bytes bigint, sessions bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    chosen bigint;
BEGIN
    IF bytes = 0 AND sessions = 0 THEN
        RETURN;
    END IF;
    SELECT slot INTO chosen FROM tenant_usage_slots WHERE tenant_id = tenant
        ORDER BY slot LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE tenant_usage_slots SET logical_bytes = logical_bytes + bytes, open_sessions = open_sessions + sessions
        WHERE tenant_id = tenant AND slot = chosen;
    ELSE
        INSERT INTO tenant_usage_slots (tenant_id, slot, logical_bytes, open_sessions)
        VALUES (tenant, floor(random() * 9007199254740992)::bigint, bytes, sessions);
    END IF;
END;
$$;

CREATE OR REPLACE FUNCTION count_gone_upload_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(tenant_id, -sum(upload_session_bytes(state, committed_blob_digest, expected_length))::bigint,
        -sum(upload_session_open(state))::bigint)
    FROM old_rows GROUP BY tenant_id ORDER BY tenant_id;
    RETURN NULL;
END;
$$;

-- Lock order: these two are taken after the locks of repositories, packages, versions and blobs, sessions before bytes, and
-- before the numbers of events. Held until the transaction ends.

-- Whoever is about to check a quota. If one is set, one transaction of the tenant at a time: the next statement sees what the
-- others added. Otherwise they share the lock, so that setting a quota waits for them.
CREATE FUNCTION lock_tenant_quota(tenant uuid, is_limited boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_limited AND NOT EXISTS (SELECT 1 FROM tenant_admission_policies WHERE tenant_id = tenant) THEN
        PERFORM pg_advisory_xact_lock_shared(1800, hashtext(tenant::text));
        IF NOT EXISTS (SELECT 1 FROM tenant_admission_policies WHERE tenant_id = tenant) THEN
            RETURN;
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock(1800, hashtext(tenant::text));
END;
$$;

-- One transaction of the tenant at a time that opens a session.
CREATE FUNCTION lock_tenant_sessions(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1801, hashtext(tenant::text));
END;
$$;

-- Whether the row counts towards the quota. False where the bytes came by an upload session, which counts itself; and in rows
-- of scripts.
ALTER TABLE artifact_entries ADD COLUMN is_charged boolean NOT NULL DEFAULT false;
ALTER TABLE manifests ADD COLUMN is_charged boolean NOT NULL DEFAULT false;

-- What was published without a session: by path, or as a copy. Such a version was created and published at one time.
ALTER TABLE artifact_entries DISABLE TRIGGER artifact_entries_guard;
UPDATE artifact_entries e SET is_charged = true FROM package_versions v
WHERE v.version_id = e.version_id AND v.created_at = v.published_at;
ALTER TABLE artifact_entries ENABLE TRIGGER artifact_entries_guard;
ALTER TABLE manifests DISABLE TRIGGER manifests_guard;
UPDATE manifests m SET is_charged = true FROM package_versions v
WHERE v.version_id = m.version_id AND v.created_at = v.published_at AND m.blob_digest IS NOT NULL;
ALTER TABLE manifests ENABLE TRIGGER manifests_guard;

INSERT INTO tenant_usage_slots (tenant_id, slot, logical_bytes)
SELECT v.tenant_id, 1, CAST(SUM(used.bytes) AS bigint)
FROM (
    SELECT version_id, size_bytes AS bytes FROM artifact_entries WHERE is_charged
    UNION ALL
    SELECT m.version_id, b.length_bytes FROM manifests m JOIN blobs b ON b.digest = m.blob_digest WHERE m.is_charged
    UNION ALL
    SELECT a.version_id, b.length_bytes FROM attestations a JOIN blobs b ON b.digest = a.blob_digest
) used JOIN package_versions v ON v.version_id = used.version_id GROUP BY v.tenant_id;

CREATE FUNCTION charge_new_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(v.tenant_id, sum(n.size_bytes)::bigint, 0)
    FROM new_rows n JOIN package_versions v ON v.version_id = n.version_id
    WHERE n.is_charged GROUP BY v.tenant_id ORDER BY v.tenant_id;
    RETURN NULL;
END;
$$;
CREATE FUNCTION credit_gone_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(v.tenant_id, -sum(o.size_bytes)::bigint, 0)
    FROM old_rows o JOIN package_versions v ON v.version_id = o.version_id
    WHERE o.is_charged GROUP BY v.tenant_id ORDER BY v.tenant_id;
    RETURN NULL;
END;
$$;
CREATE FUNCTION charge_changed_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(v.tenant_id, sum(c.bytes)::bigint, 0)
    FROM (SELECT version_id, size_bytes AS bytes FROM new_rows WHERE is_charged
        UNION ALL SELECT version_id, -size_bytes FROM old_rows WHERE is_charged) c
    JOIN package_versions v ON v.version_id = c.version_id GROUP BY v.tenant_id ORDER BY v.tenant_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER artifact_entries_usage_insert AFTER INSERT ON artifact_entries
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION charge_new_entries();
CREATE TRIGGER artifact_entries_usage_delete AFTER DELETE ON artifact_entries
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION credit_gone_entries();
CREATE TRIGGER artifact_entries_usage_update AFTER UPDATE ON artifact_entries
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION charge_changed_entries();

-- A version has one manifest.
CREATE FUNCTION charge_manifest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM add_tenant_usage(v.tenant_id, -b.length_bytes, 0)
        FROM package_versions v, blobs b
        WHERE OLD.is_charged AND v.version_id = OLD.version_id AND b.digest = OLD.blob_digest;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM add_tenant_usage(v.tenant_id, b.length_bytes, 0)
        FROM package_versions v, blobs b
        WHERE NEW.is_charged AND v.version_id = NEW.version_id AND b.digest = NEW.blob_digest;
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER manifests_usage_insert AFTER INSERT ON manifests
    FOR EACH ROW WHEN (NEW.is_charged) EXECUTE FUNCTION charge_manifest();
CREATE TRIGGER manifests_usage_delete AFTER DELETE ON manifests
    FOR EACH ROW WHEN (OLD.is_charged) EXECUTE FUNCTION charge_manifest();
CREATE TRIGGER manifests_usage_update AFTER UPDATE ON manifests
    FOR EACH ROW WHEN (OLD.is_charged OR NEW.is_charged) EXECUTE FUNCTION charge_manifest();

CREATE FUNCTION charge_attestation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    item attestations := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM add_tenant_usage(v.tenant_id, CASE WHEN TG_OP = 'DELETE' THEN -b.length_bytes ELSE b.length_bytes END, 0)
    FROM package_versions v, blobs b WHERE v.version_id = item.version_id AND b.digest = item.blob_digest;
    RETURN NULL;
END;
$$;
CREATE TRIGGER attestations_usage AFTER INSERT OR DELETE ON attestations
    FOR EACH ROW EXECUTE FUNCTION charge_attestation();

-- A version gives back what it was charged before its rows go with it: they no longer find it then.
CREATE FUNCTION credit_gone_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(OLD.tenant_id, -CAST(
        COALESCE((SELECT SUM(size_bytes) FROM artifact_entries WHERE version_id = OLD.version_id AND is_charged), 0)
        + COALESCE((SELECT SUM(b.length_bytes) FROM manifests m JOIN blobs b ON b.digest = m.blob_digest
            WHERE m.version_id = OLD.version_id AND m.is_charged), 0)
        + COALESCE((SELECT SUM(b.length_bytes) FROM attestations a JOIN blobs b ON b.digest = a.blob_digest
            WHERE a.version_id = OLD.version_id), 0) AS bigint), 0);
    RETURN OLD;
END;
$$;
CREATE TRIGGER package_versions_usage BEFORE DELETE ON package_versions
    FOR EACH ROW EXECUTE FUNCTION credit_gone_version();
