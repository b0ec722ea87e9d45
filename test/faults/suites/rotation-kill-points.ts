import { type PostgresTarget, type SshTarget, startPostgresTarget, startSshTarget } from '@claviger/targets';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Account,
  createPeople,
  type People,
  postgresAccount,
  retrieve,
  rotationReaches,
  sshAccount,
} from '../../support/main-job.ts';
import type { Topology } from '../../support/topology.ts';

/** F-03, F-04 and F-04: the step of a rotation at which each replica is killed. */
const KILL_POINTS = {
  'vault-1': 'vault.rotate.after_candidate_stored',
  'vault-2': 'vault.rotate.after_target_change',
  'vault-3': 'vault.rotate.before_promote',
};
const VAULTS = Object.keys(KILL_POINTS);

/** Vaults that are killed during a rotation recover to a credential that logs in. Requires three replicas. */
export function rotationKillPoints(topology: Topology): void {
  let people: People;
  let postgres: PostgresTarget;
  let ssh: SshTarget;
  beforeAll(async () => {
    [postgres, ssh] = await Promise.all([startPostgresTarget(), startSshTarget()]);
    await topology.network.openTargets(postgres.port, ssh.port);
    people = await createPeople(await topology.network.createTenant());
  });
  afterAll(async () => {
    await Promise.all([postgres?.stop(), ssh?.stop()]);
  });

  const alive = (): number => VAULTS.filter((node) => topology.installation.pid(node) !== undefined).length;

  /** Starts rotations one by one until each replica has taken one and has been killed. */
  async function rotateUntilAllAreKilled(accounts: readonly Account[]): Promise<Account[]> {
    const started: Account[] = [];
    for (const account of accounts) {
      const before = alive();
      if (before === 0) break;
      await eventually(async () => {
        if (alive() < before) return;
        const path = `/api/v1/vault/entries/${account.entryId}/rotate`;
        const { status } = await people.admin.post(path, { reason: 'kill' });
        if (status === 202) started.push(account);
        expect([202, 409]).toContain(status);
      });
      await expect.poll(alive).toBeLessThan(before);
    }
    return started;
  }

  test.each(['postgres', 'ssh'] as const)(
    'F-03 F-04 vaults killed at each step of rotations on %s recover to credentials that log in',
    async (kind) => {
      const target = kind === 'postgres' ? postgres : ssh;
      const create = () =>
        kind === 'postgres' ? postgresAccount(people.admin, postgres) : sshAccount(people.admin, ssh);
      const accounts: Account[] = [];
      for (let count = 0; count < VAULTS.length; count += 1) accounts.push(await create());
      for (const [node, point] of Object.entries(KILL_POINTS)) topology.arm(node, `${point}=crash`);
      const rotated = await rotateUntilAllAreKilled(accounts);
      expect(alive()).toBe(0);
      await Promise.all(VAULTS.map((node) => topology.recover(node)));
      expect(rotated.length).toBeGreaterThan(0);
      for (const { entryId, username, password } of rotated) {
        await rotationReaches(people.admin, entryId, ['verified']);
        const current = await retrieve(people.admin, entryId);
        expect(await target.accepts(username, current)).toBe(true);
        expect(current).not.toBe(password);
        expect(await target.accepts(username, password)).toBe(false);
      }
    },
  );
}
