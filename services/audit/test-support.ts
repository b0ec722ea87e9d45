import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { soleLeadership } from '@claviger/cluster';
import * as audit from '@claviger/contracts/audit/v1/audit';
import * as cluster from '@claviger/contracts/cluster/v1/health';
import type { Database } from '@claviger/database';
import { type AuditEvent, canonicalEvent, createEmitter, type Emitter, outboxMac } from '@claviger/events';
import {
  createTemporaryDataDir,
  databaseName,
  type Installation,
  startInstallation,
} from '@claviger/installation';
import {
  type CallOptions,
  createLogger,
  createPeers,
  loadConfig,
  type Peers,
  readSecretFile,
  type ServiceClient,
  signActorToken,
} from '@claviger/service-kit';
import { openStoreDatabase } from '@claviger/store-service/store-database';
import { Client } from 'pg';
import { type AuditConfig, configSchema } from './src/config.ts';
import { type AuditKeys, readKeys } from './src/keys.ts';
import type { AuditSchema } from './src/schema.ts';
import { lastHead } from './src/sequencing/head-store.ts';
import { sequenceTenant } from './src/sequencing/sequence-tenant.ts';

/** A real audit process with real PostgreSQL and NATS, and the handles that tests need. */
export interface AuditBench extends AsyncDisposable {
  readonly stack: Installation;
  /** Arms failpoints of the running service, e.g. `audit.seal.before_commit=crash`; '' disarms them. */
  arm(points: string): void;
  readonly config: AuditConfig;
  readonly keys: AuditKeys;
  readonly database: Database<AuditSchema>;
  /** Writes as the audit service itself. */
  readonly emitter: Emitter;
  readonly client: ServiceClient<typeof audit.AuditService>;
  /** Returns the health of the service as soon as the service answers. */
  healthNow(): Promise<cluster.GetHealthResponse>;
  /** Call options of an auditor of the tenant. */
  as(tenantId: string, permissions?: readonly string[]): Promise<CallOptions>;
  /** Records `count` events of the tenant through the outbox; returns their ids. */
  record(tenantId: string, count: number, change?: (n: number) => Partial<EventInput>): Promise<string[]>;
  /** Waits until the tenant's log is sequenced up to this size, while it grows; returns its head. */
  sequenced(tenantId: string, size: number): Promise<audit.TreeHead>;
  /** Runs a statement as the superuser, which bypasses all grants, policies and triggers. */
  superuser(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  asRole<T>(role: string, use: (client: Client) => Promise<T>): Promise<T>;
}

type EventInput = Parameters<Emitter['auditDuty']>[1];

const NOBODY = ['127.0.0.1:1'];

export const silent = createLogger({ service: 'audit', node: 'test', level: 'silent' });

export async function startBench(): Promise<AuditBench> {
  await using cleanup = new AsyncDisposableStack();
  const dataDir = await createTemporaryDataDir();
  cleanup.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const stack = await startInstallation({
    dataDir,
    environment: 'test',
    services: ['audit'],
    env: { audit: { FAILPOINTS_FILE: 'failpoints' } },
    // The other services do not run here.
    overrides: { audit: { peers: { auth: NOBODY, vault: NOBODY, workflow: NOBODY } } },
  });
  cleanup.defer(() => stack.stop());
  const config = loadConfig(configSchema, stack.layout.configFile('audit-1'));
  const keys = readKeys(config);
  const database = openStoreDatabase<AuditSchema>(config);
  cleanup.defer(() => database.close());
  const peers = gatewayPeers(stack, config);
  cleanup.defer(() => peers.close());
  const client = peers.client('audit', audit.AuditService);
  const health = peers.client('audit', cluster.HealthService);
  const emitter = createEmitter({ service: 'audit', macKey: keys.outboxMac });
  const actorKey = createPrivateKey(readSecretFile(stack.layout.secret('actor-token.pem')));
  const as: AuditBench['as'] = async (tenantId, permissions = ['audit.read', 'audit.export']) => {
    const actor = {
      userId: randomUUID(),
      userName: 'auditor',
      tenantId,
      sessionId: randomUUID(),
      kind: 'user' as const,
      permissions: new Set(permissions),
      roles: [],
      mfaPending: false,
      platform: false,
      mfaAt: 0,
    };
    return {
      actorToken: (await signActorToken(actor, ['audit'], actorKey)).token,
      sourceAddress: '192.0.2.1',
    };
  };
  const asRole: AuditBench['asRole'] = async (role, use) => {
    const { socketDir, port, superuser, password } = stack.servers.postgres;
    const own =
      role === superuser ? password : readFileSync(stack.layout.databasePassword(role), 'utf8').trim();
    const connection = new Client({
      host: socketDir,
      port,
      user: role,
      password: own,
      database: databaseName,
    });
    connection.on('error', () => {});
    await connection.connect();
    try {
      return await use(connection);
    } finally {
      await connection.end();
    }
  };
  const moved = cleanup.move();
  return {
    stack,
    arm: (points) => writeFileSync(join(stack.dataDir, 'failpoints'), points),
    config,
    keys,
    database,
    emitter,
    client,
    healthNow: async () => {
      let answer: cluster.GetHealthResponse | undefined;
      await eventually(async () => {
        answer = await health.getHealth({}, { tenantId: randomUUID() }).catch(() => undefined);
        return answer !== undefined;
      });
      return answer!;
    },
    as,
    asRole,
    superuser: (text, values = []) =>
      asRole(stack.servers.postgres.superuser, async (connection) => {
        await connection.query("SET search_path = audit; SET session_replication_role = 'replica'");
        return (await connection.query(text, values)).rows;
      }),
    record: (tenantId, count, change = () => ({})) =>
      database.withTenant(tenantId, async (tx) => {
        const ids = [];
        for (let n = 0; n < count; n += 1) {
          const { event } = await emitter.auditDuty(tx, { ...plainEvent(tenantId, n), ...change(n) });
          ids.push(event.id);
        }
        return ids;
      }),
    sequenced: async (tenantId, size) => {
      let head: audit.TreeHead | undefined;
      for (let known = 0; known < size; known = head!.size) {
        // Each step has its own time limit: a busy machine may need long for many events, and only a log that
        // does not grow fails.
        await eventually(async () => {
          // Read the database directly: a read through the service writes an event, which extends the log.
          head = await database.readTenant(tenantId, lastHead).catch(() => undefined);
          return (head?.size ?? 0) > known;
        });
      }
      return head!;
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function plainEvent(tenantId: string, n: number): EventInput {
  return {
    tenantId,
    action: 'test.happened',
    outcome: 'allowed',
    subjectType: 'thing',
    subjectId: `thing-${n}`,
    resourceId: '',
    requestId: '',
    reason: '',
    details: { n },
  };
}

const BULK = 2_000;

/**
 * Stores a log of many events in bulk, like ingestion with leaf hash and the writer's MAC, and sequences it
 * through the service and this process. OFFSET 0 makes PostgreSQL parse the JSON once for each event, not for
 * each column.
 */
export async function storeSequenced(
  bench: AuditBench,
  tenantId: string,
  count: number,
  change: (n: number) => Partial<AuditEvent>,
): Promise<void> {
  const mac = bench.keys.macs.get('vault')!;
  const headsFile = {
    newest: () => undefined,
    tenants: () => [],
    append: async () => {},
    appendRestoreMark: async () => {},
    restoredAt: () => undefined,
    refresh: async () => {},
    problem: () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
  const deps = { ...bench, logger: silent, headsFile, batchSize: BULK };
  for (let first = 0; first < count; first += BULK) {
    const events = Array.from({ length: Math.min(BULK, count - first) }, (_, n) =>
      canonicalEvent({
        v: 1,
        id: randomUUID(),
        tenantId,
        action: 'vault.entry.retrieved',
        outcome: 'allowed',
        actorId: '',
        actorName: 'ann',
        actorKind: 'user',
        subjectType: 'entry',
        subjectId: '',
        resourceId: '',
        service: 'vault',
        sourceAddress: '192.0.2.1',
        requestId: '',
        reason: '',
        details: { version: 1, basis: 'share' },
        occurredAt: new Date().toISOString(),
        ...change(first + n),
      }),
    );
    await bench.superuser(
      `INSERT INTO events (tenant_id, event_id, canonical, leaf_hash, mac, action, outcome, actor_id, actor_name, actor_kind,
         subject_type, subject_id, resource_id, service, source_address, request_id, reason, occurred_at)
       SELECT $1::uuid, (e->>'id')::uuid, canonical, leaf_hash, mac, e->>'action', e->>'outcome', e->>'actorId', e->>'actorName',
         e->>'actorKind', e->>'subjectType', e->>'subjectId', e->>'resourceId', e->>'service', e->>'sourceAddress',
         e->>'requestId', e->>'reason', (e->>'occurredAt')::timestamptz
       FROM (SELECT canonical, canonical::jsonb AS e, leaf_hash, mac
         FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS given (canonical, leaf_hash, mac) OFFSET 0) AS rows`,
      [
        tenantId,
        events.map(({ canonical }) => canonical),
        events.map(({ leafHash }) => Buffer.from(leafHash, 'hex')),
        events.map(({ canonical }) => outboxMac(mac, 'audit.vault', canonical)),
      ],
    );
    // If the service holds the tree or the database is busy, the service sequences these events by itself.
    await sequenceTenant(deps, tenantId, soleLeadership).catch(() => 0);
  }
  await bench.sequenced(tenantId, count);
}

/** Calls with the certificate of the gateway. */
function gatewayPeers(stack: Installation, config: AuditConfig): Peers {
  const { listen, ...own } = config.grpc;
  return createPeers({
    ...config,
    grpc: { ...own, ...stack.layout.leaf('gateway') },
    peers: { audit: [listen!] },
  });
}

export async function eventually(check: () => Promise<boolean>, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function text(stream: AsyncIterable<{ data: Buffer | Uint8Array }>): Promise<string> {
  const chunks = [];
  for await (const { data } of stream) chunks.push(data);
  return Buffer.concat(chunks).toString('utf8');
}
