import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectNetwork, eventually } from '@claviger/testkit';
import { expect, inject, test } from 'vitest';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../../packages/cli/src/main.ts');

test('a package of an active tenant is downloaded from another gateway, verifies offline, and contains no secret', async () => {
  const access = inject('network');
  await using network = connectNetwork(access);
  const tenant = await network.createTenant();
  const admin = tenant.admin.client;
  const folder = await mkdtemp(join(tmpdir(), 'compliance-e2e-'));
  const claviger = async (...args: string[]) =>
    run(process.execPath, [main, ...args], {
      env: {
        PATH: process.env.PATH ?? '',
        XDG_CONFIG_HOME: folder,
        CLAVIGER_ADDR: access.urls[1]!,
        CLAVIGER_CA: access.caCertificate,
        CLAVIGER_TOKEN: await tenant.admin.freshToken(),
      },
    });
  try {
    const canary = `canary-${randomBytes(18).toString('hex')}`;
    const entry = await admin.must('POST', '/api/v1/vault/entries', {
      name: '=cmd()',
      type: 'note',
      secret: canary,
    });
    const user = await tenant.createUser(['requester']);
    await admin.must('PUT', `/api/v1/vault/entries/${entry.id}/shares/${user.id}`, { access: 'view' });
    await admin.must('POST', `/api/v1/vault/entries/${entry.id}/retrieve`, { reason: 'canary' });
    const day = new Date().toISOString().slice(0, 10);
    const range = { from: '2026-01-01', to: day, bom: true };
    const { id } = await admin.must('POST', '/api/v1/compliance/reports', range);
    await eventually(async () => {
      const { state, problem } = await admin.must('GET', `/api/v1/compliance/reports/${id}`);
      if (state !== 'ready') throw new Error(`the report is ${state} ${problem}`);
    });
    const [zip, keys] = [join(folder, 'package.zip'), join(folder, 'keys.json')];
    await claviger('compliance', 'download', id as string, '--out', zip);
    await claviger('audit', 'keys', '--save', keys);
    const { stdout } = await claviger('compliance', 'verify', zip, '--keys', keys, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, problem: null, trust: 'trusted-key' });
    const { stdout: unpacked } = await run('unzip', ['-p', zip], { encoding: 'latin1', maxBuffer: 2 ** 28 });
    const { stdout: table } = await run('unzip', ['-p', zip, 'tables/access-users.csv'], {
      encoding: 'latin1',
    });
    expect(table.startsWith('\xef\xbb\xbf"')).toBe(true);
    expect(unpacked).not.toContain(canary);
    expect(unpacked).toContain(`"'=cmd()"`);
    expect(unpacked).toContain(user.username);

    const altered = await readFile(zip);
    altered[altered.length >> 1]! ^= 1;
    await rm(zip);
    await writeFile(zip, altered);
    await expect(claviger('compliance', 'verify', zip, '--keys', keys)).rejects.toMatchObject({ code: 1 });

    const saved = join(folder, 'attestation.json');
    await claviger('compliance', 'attestation', '--save', saved);
    const { stdout: verdict } = await claviger(
      'compliance',
      'attestation',
      '--verify',
      saved,
      '--keys',
      keys,
    );
    expect(verdict).toContain('✔ signed by');

    const answer = await admin.get(`/api/v1/compliance/reports/${id}/download`);
    expect(answer.headers['content-disposition']).toBe(
      'attachment; filename="compliance-reports-download.zip"',
    );
    expect(answer.headers['cache-control']).toBe('no-store');
    await network.superuser((client) =>
      client.query(
        `UPDATE audit.compliance_reports
            SET state = 'running', lease_owner = 'somebody', lease_until = now() + interval '1 hour' WHERE id = $1`,
        [id],
      ),
    );
    const early = await admin.get(`/api/v1/compliance/reports/${id}/download`);
    expect([early.status, early.body.code]).toEqual([409, 'report_not_ready']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
