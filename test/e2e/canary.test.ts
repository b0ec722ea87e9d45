import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { startPostgresTarget } from '@claviger/targets';
import { connectNetwork } from '@claviger/testkit';
import { expect, inject, test } from 'vitest';
import { createPeople, grantAccess, postgresAccount } from '../support/main-job.ts';

const run = promisify(execFile);

/**
 * Files below the data folder that contain this text: PostgreSQL with its WAL, Redis, JetStream, logs,
 * configuration. The servers run: a file that was deleted after it was listed is skipped.
 */
async function filesWith(text: string, folder: string): Promise<string[]> {
  const { stdout } = await run('grep', ['-rlaF', '--', text, folder], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  }).catch((error: { code: number; stdout: string; stderr: string }) => {
    const problems = error.stderr.split('\n').filter(Boolean);
    if (problems.every((line) => line.endsWith(': No such file or directory')) && [1, 2].includes(error.code))
      return error;
    throw error;
  });
  return stdout.split('\n').filter(Boolean);
}

test('H-265 H-327 a planted secret appears only in the declared answers', async () => {
  const network = connectNetwork(inject('network'));
  const target = await startPostgresTarget();
  try {
    const people = await createPeople(await network.createTenant());
    const canary = `canary-${randomBytes(18).toString('hex')}`;
    const marker = `marker-${randomBytes(18).toString('hex')}`;
    await network.openTargets(target.port);
    const account = await postgresAccount(people.admin, target);
    await people.admin.must('PUT', `/api/v1/vault/entries/${account.entryId}`, {
      secret: canary,
      description: marker,
    });

    // Declared answers, then possible leaks: wrong fields, malformed JSON, wrong types, errors.
    const declared = await people.admin.must('POST', `/api/v1/vault/entries/${account.entryId}/retrieve`, {
      reason: 'canary',
    });
    expect(declared.secret).toBe(canary);
    const grant = await grantAccess(people, account.entryId);
    expect((await people.requester.client.get(`/api/v1/grants/${grant}/credentials`)).text).toContain(canary);
    const others = await Promise.all([
      people.admin.get(`/api/v1/vault/entries/${account.entryId}`),
      people.admin.get('/api/v1/vault/entries?search=canary'),
      people.admin.get(`/api/v1/vault/entries/${account.entryId}/versions`),
      people.admin.post('/api/v1/vault/entries', { name: 'x', type: 'note', secret: canary, [canary]: 1 }),
      people.admin.post('/api/v1/vault/entries', { name: 'x', type: 'note', secret: [canary] }),
      people.admin.call('POST', '/api/v1/vault/entries', undefined, {
        raw: `{"name":"x","secret":"${canary}",`,
      }),
      people.admin.post('/api/v1/vault/entries', { secret: canary }),
      people.admin.post('/api/v1/auth/login', {
        username: 'nobody',
        password: canary,
        tenant: people.tenant.name,
      }),
      people.admin.post('/api/v1/users', { username: 'canary-user', password: canary.slice(0, 11) }),
      people.admin.post(`/api/v1/vault/entries/${account.entryId}/verify`),
      people.admin.get('/api/v1/audit/events?pageSize=100'),
    ]);
    expect(others.filter((answer) => answer.text.includes(canary)).map((answer) => answer.text)).toEqual([]);

    const { dataDir } = network.access;
    // The marker proves that the search finds what the services store.
    await network.superuser((client) => client.query('CHECKPOINT'));
    expect((await filesWith(marker, dataDir)).length).toBeGreaterThan(0);
    for (const form of [
      canary,
      Buffer.from(canary).toString('base64').slice(0, -4),
      Buffer.from(canary).toString('hex'),
      people.requester.token,
    ]) {
      expect(await filesWith(form, dataDir)).toEqual([]);
    }
  } finally {
    await target.stop();
    await network[Symbol.asyncDispose]();
  }
});
