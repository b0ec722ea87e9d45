import { type PostgresTarget, type SshTarget, startPostgresTarget, startSshTarget } from '@claviger/targets';
import { type StartedNetwork, startNetwork } from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createPeople,
  type People,
  postgresAccount,
  retrieve,
  rotationReaches,
  sshAccount,
} from '../support/main-job.ts';
import { crashed, restartReachable } from '../support/restart.ts';

let started: StartedNetwork;
let people: People;
let postgres: PostgresTarget;
let ssh: SshTarget;

beforeAll(async () => {
  [started, postgres, ssh] = await Promise.all([
    startNetwork({
      overrides: { vault: { rotation: { leaseSeconds: 3, settleSeconds: 1, backoffSeconds: 1 } } },
    }),
    startPostgresTarget(),
    startSshTarget(),
  ]);
  await started.network.openTargets(postgres.port, ssh.port);
  people = await createPeople(await started.network.createTenant());
});
afterAll(async () => {
  await Promise.all([started?.[Symbol.asyncDispose](), postgres?.stop(), ssh?.stop()]);
});

const killPoints = [
  ['F-03', 'vault.rotate.after_candidate_stored'],
  ['F-04', 'vault.rotate.after_target_change'],
  ['F-04', 'vault.rotate.before_promote'],
];

describe.each(['postgres', 'ssh'])('a vault killed while it rotates an account on %s', (kind) => {
  test.each(killPoints)('%s at %s recovers to a credential that logs in', async (_, point) => {
    const account =
      kind === 'postgres'
        ? await postgresAccount(people.admin, postgres)
        : await sshAccount(people.admin, ssh);
    const accepts = (password: string): Promise<boolean> =>
      kind === 'postgres'
        ? postgres.accepts(account.username, password)
        : ssh.accepts(account.username, password);
    await restartReachable(started.installation, 'vault-1', { FAILPOINTS: `${point}=crash@1` });
    const asked = await people.admin.post(`/api/v1/vault/entries/${account.entryId}/rotate`, {
      reason: 'kill',
    });
    expect(asked.status).toBe(202);
    await crashed(started.installation, 'vault-1');
    await restartReachable(started.installation, 'vault-1', {});
    await rotationReaches(people.admin, account.entryId, ['verified']);
    const current = await retrieve(people.admin, account.entryId);
    expect(await accepts(current)).toBe(true);
    expect(current).not.toBe(account.password);
    expect(await accepts(account.password)).toBe(false);
  });
});
