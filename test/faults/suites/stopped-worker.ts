import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPeople, type People, postgresAccount, retrieve } from '../../support/main-job.ts';
import type { Topology } from '../../support/topology.ts';

/** A worker that is paused past its lease. Requires three replicas of the vault. */
export function stoppedWorker(topology: Topology): void {
  let people: People;
  let target: PostgresTarget;

  beforeAll(async () => {
    target = await startPostgresTarget();
    await topology.network.openTargets(target.port);
    people = await createPeople(await topology.network.createTenant());
  });
  afterAll(() => target?.stop());

  const stands = (pid: number): boolean => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ');

  test('F-23 a vault that was paused past its lease changes nothing on the target when it continues', async () => {
    const { installation, network } = topology;
    const admin = people.admin;
    const account = await postgresAccount(admin, target);
    // As administrator, because the target then needs no current password and would accept a late change.
    const adminEntry = await admin.must('POST', '/api/v1/vault/entries', {
      name: `admin-${randomUUID()}`,
      username: target.admin.username,
      secret: target.admin.password,
    });
    await admin.must('PUT', `/api/v1/resources/${account.resourceId}`, {
      adminEntryId: adminEntry.id,
      settings: { database: target.database, tls: { mode: 'disable' }, rotateAs: 'admin' },
    });
    const others = ['vault-2', 'vault-3'];
    for (const node of others) await installation.kill(node);
    topology.arm('vault-1', 'vault.rotate.after_candidate_stored=stop');
    const asked = await admin.post(`/api/v1/vault/entries/${account.entryId}/rotate`, { reason: 'stop' });
    expect(asked.status).toBe(202);
    const pid = installation.pid('vault-1')!;
    await eventually(() => expect(stands(pid)).toBe(true));
    await Promise.all(others.map((node) => installation.restart(node)));
    // Bypasses the gateways, whose calls may still wait for the paused replica.
    await eventually(
      () =>
        network.superuser(async (db) => {
          const { rows } = await db.query(`SELECT state FROM vault.rotations WHERE entry_id = $1`, [
            account.entryId,
          ]);
          expect(rows).toEqual([{ state: 'verified' }]);
        }),
      { timeoutMs: 60_000 },
    );
    const changes = (): number => target.log().split(`ALTER ROLE "${account.username}" PASSWORD`).length - 1;
    const before = changes();
    process.kill(pid, 'SIGCONT');
    await eventually(() =>
      expect(readFileSync(network.access.logFiles['vault-1']!, 'utf8')).toContain(
        'another worker took over a rotation',
      ),
    );
    expect(changes()).toBe(before);
    expect(await target.accepts(account.username, await retrieve(admin, account.entryId))).toBe(true);
  });
}
