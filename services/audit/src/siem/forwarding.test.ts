import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { soleReplica } from '@claviger/cluster';
import { applyTenantStatus } from '@claviger/database';
import { type RsyslogTarget, startRsyslog } from '@claviger/targets';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forward } from './forward.ts';
import { startForwarding } from './forwarding-duty.ts';
import { startTestLog, type TestLog } from './test-log.ts';

let log: TestLog;
let rsyslog: RsyslogTarget;
let forwarding: AsyncDisposable;
beforeAll(async () => {
  log = await startTestLog();
  rsyslog = await startRsyslog();
  forwarding = startForwarding({ ...log.deps, cluster: soleReplica(log.deps.logger) });
});
afterAll(async () => {
  await forwarding?.[Symbol.asyncDispose]();
  await rsyslog?.[Symbol.asyncDispose]();
  await log?.[Symbol.asyncDispose]();
});

const destination = (name: string, change = {}) => ({
  name,
  transport: 'syslog-tcp',
  host: '127.0.0.1',
  port: rsyslog.ports.tcp,
  ...change,
});
/** Event ids of a tenant in order of arrival. */
const arrived = async (tenantId: string, from = rsyslog) =>
  (await from.records())
    .filter(({ structuredData }) => structuredData.includes(tenantId))
    .map(({ structuredData }) => /id="([^"]+)"/.exec(structuredData)![1]!);
const untilArrived = (tenantId: string, ids: readonly string[]) =>
  eventually(async () => expect(await arrived(tenantId)).toEqual(ids), { timeoutMs: 50_000 });

test('a failing destination blocks no other destination and no other tenant', async () => {
  const [ann, bob] = [randomUUID(), randomUUID()];
  log.set(ann, [destination('dead', { port: 1 }), destination('alive')]);
  log.set(bob, [destination('alive', { transport: 'syslog-tls', port: rsyslog.ports.tls, ca: rsyslog.ca })]);
  const [ofAnn, ofBob] = [await log.append(ann, 600), await log.append(bob, 600)];
  await untilArrived(ann, ofAnn);
  await untilArrived(bob, ofBob);
  await eventually(async () => {
    expect(await log.cursor(ann, 'dead')).toMatchObject({
      next_sequence: 0,
      retry_through: 255,
      last_success_at: null,
      last_error: 'The target could not be reached (ECONNREFUSED).',
    });
  });
  // The cursor moves shortly after the destination has accepted the batch.
  await eventually(async () =>
    expect(await log.cursor(ann, 'alive')).toMatchObject({ next_sequence: 600, failures: 0, last_error: '' }),
  );
  log.set(ann, []);
});

test('a destination that is killed repeatedly with unread data receives every event; duplicates have the same id', async () => {
  const tenant = randomUUID();
  await using mortal = await startRsyslog();
  log.set(tenant, [destination('mortal', { port: mortal.ports.tcp })]);
  const ids: string[] = [];
  /** Makes the next attempt due at once. */
  const soon = (check: () => Promise<void>) =>
    eventually(async () => {
      await log.query('UPDATE audit.siem_cursors SET next_attempt_at = now() WHERE tenant_id = $1', [tenant]);
      await check();
    });
  const upToDate = () =>
    soon(async () => expect((await log.cursor(tenant, 'mortal'))?.next_sequence ?? 0).toBe(ids.length));
  const written = async () => (await stat(mortal.file).catch(() => undefined))?.size ?? 0;
  /**
   * Kills the destination while bytes of a batch wait for it, if possible within a batch. If no bytes wait,
   * data that the destination has read but not written is lost: a transport without acknowledgement cannot
   * detect this.
   */
  const kill = async () => {
    for (let attempt = 1; ; attempt += 1) {
      await upToDate();
      const before = await written();
      await mortal.pause();
      ids.push(...(await log.append(tenant, 300)));
      await soon(async () => expect(await mortal.unreadBytes()).toBeGreaterThan(0));
      if (attempt === 5) break;
      mortal.resume();
      await eventually(async () => expect(await written()).toBeGreaterThan(before), { intervalMs: 0 });
      await mortal.pause();
      if ((await mortal.unreadBytes()) > 0) break;
      mortal.resume();
    }
    await mortal.stop('SIGKILL');
  };
  for (let round = 0; round < 3; round += 1) {
    await kill();
    await mortal.start();
  }
  await upToDate();
  // In the order of first arrival, no event is missing or misplaced.
  expect([...new Set(await arrived(tenant, mortal))]).toEqual(ids);
  log.set(tenant, []);
});

test('a destination receives its actions from its start position, and nothing while it is disabled', async () => {
  const tenant = randomUUID();
  await log.append(tenant, 3, 'vault.entry.created');
  log.set(tenant, [
    destination('late', { startAt: 'now', actions: ['vault.entry.'] }),
    destination('off', { enabled: false, port: 1 }),
  ]);
  await eventually(async () => expect(await log.cursor(tenant, 'late')).toMatchObject({ next_sequence: 3 }));
  await log.append(tenant, 300, 'grant.ended');
  const wanted = await log.append(tenant, 2, 'vault.entry.retrieved');
  await untilArrived(tenant, wanted);
  await eventually(async () =>
    expect(await log.cursor(tenant, 'late')).toMatchObject({ next_sequence: 305 }),
  );
  expect(await log.cursor(tenant, 'off')).toBeUndefined();
});

test('an event with unreadable text is forwarded with a note of the problem and blocks no other event', async () => {
  const tenant = randomUUID();
  const [first, bad, last] = await log.append(tenant, 3);
  await log.query(
    `SET session_replication_role = 'replica'; UPDATE audit.events SET canonical = 'gone' WHERE event_id = '${bad}'`,
  );
  log.set(tenant, [destination('soc')]);
  await log.append(tenant, 1);
  await eventually(async () => expect((await arrived(tenant)).slice(0, 3)).toEqual([first, bad, last]));
});

test('events of a suspended tenant are not forwarded', async () => {
  const tenant = randomUUID();
  await log.append(tenant, 5);
  await log.database.withTenant(tenant, (tx) =>
    applyTenantStatus(tx, tenant, { status: 'suspended', version: 1 }),
  );
  log.set(tenant, [destination('soc')]);
  await log.query(
    `INSERT INTO audit.siem_cursors (tenant_id, target, active, next_sequence) VALUES ($1, 'soc', true, 0)`,
    [tenant],
  );
  const leadership = { assert: async () => {}, signal: new AbortController().signal };
  await forward(log.deps, leadership, { tenantId: tenant, target: 'soc', failing: false });
  expect(await arrived(tenant)).toEqual([]);
  await log.database.withTenant(tenant, (tx) =>
    applyTenantStatus(tx, tenant, { status: 'active', version: 2 }),
  );
  await eventually(async () => expect(await arrived(tenant)).toHaveLength(5), { timeoutMs: 50_000 });
});
