import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Network, TestTenant } from '@claviger/testkit';

/**
 * Gives a tenant a sequenced log of this many events with reasons of this many characters, by SQL because
 * calls would take too long. The tree is not valid, so no further event of this tenant can be sequenced.
 */
export async function fillLog(
  network: Network,
  tenant: TestTenant,
  events: number,
  reasonLength = 600,
): Promise<void> {
  await network.superuser(async (db) => {
    await db.query("SET search_path = audit; SET session_replication_role = 'replica'");
    await db.query(
      `INSERT INTO events (tenant_id, event_id, sequence, canonical, leaf_hash, mac, action, outcome, actor_id, actor_name, actor_kind,
         subject_type, subject_id, resource_id, service, source_address, request_id, reason, occurred_at)
       SELECT $1::uuid, id, 1000000 + n,
         json_build_object('v', 1, 'id', id, 'tenantId', $1::text, 'action', 'vault.entry.retrieved', 'outcome', 'allowed',
           'actorId', 'u1', 'actorName', '=ann', 'actorKind', 'user', 'subjectType', 'entry', 'subjectId', 'e' || n % 100,
           'resourceId', '', 'service', 'vault', 'sourceAddress', '192.0.2.1', 'requestId', 'r' || n, 'reason', repeat('x', $3::int),
           'details', json_build_object('n', n), 'occurredAt', to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text,
         sha256('x'), sha256('x'), 'vault.entry.retrieved', 'allowed', 'u1', '=ann', 'user', 'entry', 'e' || n % 100, '', 'vault',
         '192.0.2.1', 'r' || n, repeat('x', $3::int), at
       FROM (SELECT n, gen_random_uuid() AS id, timestamp '2026-01-01' + n * interval '1 second' AS at
         FROM generate_series(1, $2::int) n) AS new`,
      [tenant.id, events, reasonLength],
    );
    await db.query(
      `INSERT INTO tree_heads (tenant_id, size, root_hash, previous_root_hash, timestamp, key_id, signature)
       VALUES ($1, 1000000 + $2::int + 1, repeat('0', 64), repeat('0', 64), now(), 'bench', '')`,
      [tenant.id, events],
    );
    await db.query('ANALYZE events');
  });
}

export interface ExportAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Chunks as they arrive; slow reading slows the server down, and an early return ends the export. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** Starts an export without reading its body. */
export function openExport(network: Network, token: string, query: string): Promise<ExportAnswer> {
  const url = `${network.access.urls[0]!}/api/v1/audit/events/export?${query}`;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        ca: readFileSync(network.access.caCertificate),
        headers: { authorization: `Bearer ${token}` },
        agent: false,
      },
      (answer) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, chunks: answer }),
    );
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** Memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
}
