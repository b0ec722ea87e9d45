/** Value of `via` when access came from neither a grant nor an emergency session. */
const NONE = '00000000-0000-0000-0000-000000000000';

/**
 * Decides, records and reads in one statement. Parameters: $1 entry, $2 user, $3 may retrieve any, $4 version
 * or null, $5 has a reason; $6–$9 the facts that the audit event names; $10–$14 the outbox row; $15 the
 * user's name. Returns no row when the entry is not visible or the tenant is not active. `recorded` is true
 * only when the event and the exposure are part of this transaction.
 *
 * The grant is locked: its end waits for this disclosure and then sees the exposure, or this statement sees
 * the end. An exposure of the last minute is not updated, so that readers of one secret do not wait for one
 * row. `way` reads the count of `seen` to run after it: all writers update the two tables in this order.
 *
 * The expiry of a grant is compared with the time after its row is locked, because the grant may expire
 * during the wait. `grant_ends_in_ms` is the time left then.
 *
 * A grant does not disclose an unproven account, except to its owner (`withheld`).
 *
 * Each step uses the full primary key: `OFFSET 0` keeps a step from becoming a join, and `deleted_at` matches
 * no partial index. A plan made while the tables were small therefore stays fast as they grow.
 */
export const disclosureStatement = `
WITH facts AS MATERIALIZED (
  SELECT e.id, e.asset_id, e.username, e.rotation_state, e.requires_grant, e.requires_reason,
         coalesce($4::int, e.current_version) AS wanted,
         e.unproven AND e.owner_id IS DISTINCT FROM $2::uuid AS withheld,
         e.owner_id, (SELECT s.access FROM shares s WHERE s.entry_id = e.id AND s.user_id = $2::uuid) AS share
    FROM entries e WHERE e.id = $1::uuid AND e.deleted_at IS NULL
     AND NOT EXISTS (SELECT FROM tenant_standings t WHERE t.tenant_id = current_tenant() AND t.standing <> 'active' OFFSET 0)
), live AS MATERIALIZED (
  SELECT g.grant_id, g.expires_at FROM entitlements g
   WHERE g.entry_id = $1::uuid AND g.user_id = $2::uuid AND g.removed_at IS NULL AND g.expires_at > clock_timestamp() AND NOT g.one_time
   ORDER BY g.expires_at DESC LIMIT 1 FOR SHARE
), verdict AS MATERIALIZED (
  SELECT f.*, CASE WHEN NOT f.withheld THEN l.grant_id END AS grant_id,
         (extract(epoch FROM l.expires_at - clock_timestamp()) * 1000)::float8 AS grant_ends_in_ms,
         CASE WHEN l.grant_id IS NOT NULL AND NOT f.withheld THEN 'grant' WHEN f.requires_grant THEN NULL
              WHEN standing_access(f.owner_id, f.share, $2::uuid, $3::boolean) = 'none' THEN NULL
              WHEN f.share IS NOT NULL THEN 'share' WHEN f.owner_id = $2::uuid THEN 'owner' ELSE 'administrator' END AS basis,
         (SELECT g.grant_id FROM entitlements g
           WHERE g.entry_id = f.id AND g.user_id = $2::uuid AND g.removed_at IS NULL AND g.expires_at > clock_timestamp()
             AND g.one_time AND g.delivered_at IS NULL AND NOT f.withheld LIMIT 1) AS one_time_grant_id
    FROM facts f LEFT JOIN live l ON l.expires_at > clock_timestamp()
), chosen AS MATERIALIZED (
  SELECT v.id, v.asset_id, v.username, v.rotation_state, v.requires_reason, v.basis, v.grant_id, v.grant_ends_in_ms,
         v.one_time_grant_id, v.withheld,
         ev.tenant_id, ev.entry_id, v.wanted AS version, ev.purpose, ev.kek_id, ev.cek_id, ev.wrapped_cek, ev.iv, ev.ciphertext,
         ev.tag, ev.commitment, ev.blob_sha256, ev.version IS NOT NULL AS has_version,
         coalesce(v.basis = $8::text AND (NOT v.requires_reason OR $5::boolean) AND ev.version = $6::int, false)
           AND v.asset_id IS NOT DISTINCT FROM $7::uuid AND v.grant_id IS NOT DISTINCT FROM $9::uuid AS recorded
    FROM verdict v
    LEFT JOIN LATERAL (
      SELECT * FROM entry_versions s
       WHERE s.entry_id = v.id AND s.version = v.wanted AND s.state IN ('current', 'previous') OFFSET 0
    ) ev ON true
), audited AS (
  INSERT INTO outbox (tenant_id, event_id, subject, payload, mac, traceparent)
  SELECT current_tenant(), $10::uuid, $11::text, $12::text, $13::bytea, $14::text FROM chosen WHERE recorded
), seen AS (
  INSERT INTO exposures AS x (tenant_id, entry_id, version, user_id, grant_id)
  SELECT current_tenant(), c.id, c.version, $2::uuid, c.grant_id FROM chosen c
   WHERE c.recorded AND NOT EXISTS (
     SELECT FROM exposures f WHERE f.entry_id = c.id AND f.version = c.version AND f.user_id = $2::uuid
        AND f.last_seen_at > now() - interval '1 minute' AND (c.grant_id IS NULL OR f.grant_id = c.grant_id) OFFSET 0)
  ON CONFLICT (tenant_id, entry_id, version, user_id) DO UPDATE
    SET last_seen_at = now(), times = x.times + 1, grant_id = coalesce(excluded.grant_id, x.grant_id)
  RETURNING 1
), way AS (
  INSERT INTO exposure_paths AS p (tenant_id, entry_id, version, user_id, kind, via, user_name)
  SELECT current_tenant(), c.id, c.version, $2::uuid, c.basis, coalesce(c.grant_id, '${NONE}'), $15::text FROM chosen c
   WHERE c.recorded AND (SELECT count(*) FROM seen) >= 0 AND NOT EXISTS (
     SELECT FROM exposure_paths f WHERE f.entry_id = c.id AND f.version = c.version AND f.user_id = $2::uuid AND f.kind = c.basis
        AND f.via = coalesce(c.grant_id, '${NONE}') AND f.last_seen_at > now() - interval '1 minute' OFFSET 0)
  ON CONFLICT (tenant_id, entry_id, version, user_id, kind, via) DO UPDATE
    SET last_seen_at = now(), times = p.times + 1, user_name = excluded.user_name
)
SELECT * FROM chosen`;
