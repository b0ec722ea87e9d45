import { randomUUID } from 'node:crypto';
import { createDatabase, type Database, migrate } from '@claviger/database';
import { canonicalEvent, createEmitter } from '@claviger/events';
import { targetPolicy } from '@claviger/outbound';
import { createLogger } from '@claviger/service-kit';
import { sections } from '@claviger/settings';
import { openLoopback } from '@claviger/targets';
import { startMigratedDatabase } from '@claviger/testkit';
import { type AuditSchema, migrations } from '../schema.ts';
import type { SiemDeps } from './deps.ts';

/** Sequenced logs in a real database, with settings that the test sets. */
export interface TestLog extends AsyncDisposable {
  readonly database: Database<AuditSchema>;
  readonly deps: SiemDeps;
  /** Appends sequenced events to a tenant's log; returns their ids in order. */
  append(tenantId: string, count: number, action?: string): Promise<string[]>;
  set(tenantId: string, targets: readonly object[]): void;
  cursor(tenantId: string, target: string): Promise<Record<string, unknown> | undefined>;
  query: (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
}

export async function startTestLog(): Promise<TestLog> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await startMigratedDatabase('audit', (schema) => migrate(schema, migrations)));
  const { schema } = scratch;
  const database = createDatabase<AuditSchema>(schema);
  stack.defer(() => database.close());
  const values = new Map<string, { version: string; targets: readonly object[] }>();
  const logger = createLogger({ service: 'audit', node: 'test', level: 'silent' });
  const deps: SiemDeps = {
    database,
    logger,
    emitter: createEmitter({ service: 'audit', macKey: Buffer.alloc(32, 1) }),
    destinationPolicy: () =>
      targetPolicy({ cidrs: ['127.0.0.0/8'], ports: [{ from: 1, to: 65_535 }] }, openLoopback),
    settings: {
      read: async (tenantId) => {
        const { version, targets } = values.get(tenantId) ?? { version: '0', targets: [] };
        return { version, values: { siem: sections.siem.parse({ targets }) } };
      },
    },
  };
  const query = (sql: string, parameters?: unknown[]) =>
    scratch.query<Record<string, unknown>>(sql.replaceAll('audit.', `${schema.schema}.`), parameters);
  const moved = stack.move();
  return {
    database,
    deps,
    query,
    append: async (tenantId, count, action = 'test.happened') => {
      const [tree] = await query('SELECT size FROM audit.trees WHERE tenant_id = $1', [tenantId]);
      const size = Number(tree?.size ?? 0);
      const events = Array.from({ length: count }, () =>
        canonicalEvent({
          v: 1,
          id: randomUUID(),
          tenantId,
          action,
          outcome: 'allowed',
          actorId: 'u1',
          actorName: 'ann',
          actorKind: 'user',
          subjectType: 'thing',
          subjectId: 't1',
          resourceId: '',
          service: 'vault',
          sourceAddress: '192.0.2.1',
          requestId: '',
          reason: 'x'.repeat(300),
          details: {},
          occurredAt: new Date().toISOString(),
        }),
      );
      await query(
        `INSERT INTO audit.events (tenant_id, event_id, sequence, canonical, leaf_hash, mac, action, outcome, actor_id, actor_name,
           actor_kind, subject_type, subject_id, resource_id, service, source_address, request_id, reason, occurred_at)
         SELECT $1::uuid, id, $2::bigint + n - 1, text, sha256(text::bytea), sha256('x'), $5, 'allowed', 'u1', 'ann', 'user', 'thing',
           't1', '', 'vault', '192.0.2.1', '', '', now() FROM unnest($3::uuid[], $4::text[]) WITH ORDINALITY AS new (id, text, n)`,
        [
          tenantId,
          size,
          events.map(({ event }) => event.id),
          events.map(({ canonical }) => canonical),
          action,
        ],
      );
      await query(
        `INSERT INTO audit.trees AS tree (tenant_id, size, heads) VALUES ($1, $2, 1)
         ON CONFLICT (tenant_id) DO UPDATE SET size = excluded.size, heads = tree.heads + 1`,
        [tenantId, size + count],
      );
      return events.map(({ event }) => event.id);
    },
    set: (tenantId, targets) => {
      values.set(tenantId, { version: randomUUID(), targets });
    },
    cursor: async (tenantId, target) =>
      (
        await query('SELECT * FROM audit.siem_cursors WHERE tenant_id = $1 AND target = $2', [
          tenantId,
          target,
        ])
      )[0],
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
