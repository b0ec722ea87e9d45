import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  eventually,
  type RestClient,
  type StartedNetwork,
  startNetwork,
  type TestTenant,
} from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cli = join(import.meta.dirname, '../../packages/cli/src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'claviger-tampering-'));

let started: StartedNetwork;
let tenant: TestTenant;
let admin: RestClient;
let headFile: string;
let keysFile: string;

beforeAll(async () => {
  started = await startNetwork();
  tenant = await started.network.createTenant();
  admin = tenant.admin.client;
  for (let i = 0; i < 12; i += 1)
    await admin.must('POST', '/api/v1/vault/entries', { name: `note ${i}`, type: 'note', secret: 'x' });
  const head = await eventually(async () => {
    const { unsealedEvents, sealedEvents } = await admin.must('GET', '/api/v1/audit/summary');
    expect(unsealedEvents).toBe(0);
    expect(sealedEvents).toBeGreaterThanOrEqual(12);
    return admin.must('GET', '/api/v1/audit/tree-head');
  });
  headFile = join(folder, 'head.json');
  writeFileSync(headFile, JSON.stringify(head));
  keysFile = join(folder, 'keys.json');
  writeFileSync(keysFile, JSON.stringify(await admin.must('GET', '/api/v1/audit/keys')));
});
afterAll(async () => started?.[Symbol.asyncDispose]());

/** What an auditor sees: the export of now, checked offline against the head and the keys of before. */
async function verdict(): Promise<{ ok: boolean; output: string }> {
  const exported = await admin.get('/api/v1/audit/events/export?format=jsonl');
  if (exported.status !== 200) return { ok: false, output: `export answered ${exported.status}` };
  const file = join(folder, 'export.jsonl');
  writeFileSync(file, exported.text);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, 'audit', 'verify', file, '--head', headFile, '--keys', keysFile],
      (error, stdout, stderr) => resolve({ ok: error === null, output: stdout + stderr }),
    );
  });
}

test('an untouched log verifies', async () => {
  expect(await verdict()).toMatchObject({ ok: true });
});

const target = (sql: string): string => sql.replaceAll('$tenant', `'${tenant.id}'`);

test.each([
  [
    'an altered payload',
    `UPDATE audit.events SET canonical = replace(canonical, 'note', 'n0te') WHERE tenant_id = $tenant AND sequence = 5`,
  ],
  [
    'an altered leaf hash',
    `UPDATE audit.events SET leaf_hash = sha256('x') WHERE tenant_id = $tenant AND sequence = 5`,
  ],
  [
    'an altered payload with its leaf hash made anew',
    `UPDATE audit.events SET canonical = replace(canonical, 'note', 'n0te'),
       leaf_hash = sha256('\\x00'::bytea || convert_to(replace(canonical, 'note', 'n0te'), 'UTF8')) WHERE tenant_id = $tenant AND sequence = 5`,
  ],
  ['a deleted event', `DELETE FROM audit.events WHERE tenant_id = $tenant AND sequence = 5`],
  [
    'a deleted event with the others moved up',
    `DELETE FROM audit.events WHERE tenant_id = $tenant AND sequence = 5;
     UPDATE audit.events SET sequence = sequence - 1 WHERE tenant_id = $tenant AND sequence > 5`,
  ],
  [
    'two swapped events',
    `UPDATE audit.events SET sequence = -1 WHERE tenant_id = $tenant AND sequence = 5;
     UPDATE audit.events SET sequence = 5 WHERE tenant_id = $tenant AND sequence = 6;
     UPDATE audit.events SET sequence = 6 WHERE tenant_id = $tenant AND sequence = -1`,
  ],
  ['an altered tree head', `UPDATE audit.tree_heads SET root_hash = sha256('x') WHERE tenant_id = $tenant`],
  [
    'an altered signature',
    `UPDATE audit.tree_heads SET signature = reverse(signature) WHERE tenant_id = $tenant`,
  ],
  [
    'a cut tail, its head with it',
    `DELETE FROM audit.events WHERE tenant_id = $tenant AND sequence >= 6;
     DELETE FROM audit.tree_heads WHERE tenant_id = $tenant AND size > 6`,
  ],
])('%s is found', async (_, sql) => {
  const { network } = started;
  // Only a superuser who switches the triggers off gets this far; the copy brings the log back afterwards.
  await network.superuser(async (client) => {
    await client.query('SET session_replication_role = replica');
    await client.query('CREATE TABLE saved_events AS SELECT * FROM audit.events');
    await client.query('CREATE TABLE saved_heads AS SELECT * FROM audit.tree_heads');
    await client.query(target(sql));
  });
  try {
    const found = await verdict();
    expect(found.ok, found.output).toBe(false);
  } finally {
    await network.superuser(async (client) => {
      await client.query('SET session_replication_role = replica');
      await client.query('DELETE FROM audit.events WHERE event_id IN (SELECT event_id FROM saved_events)');
      await client.query(
        'DELETE FROM audit.tree_heads WHERE (tenant_id, size) IN (SELECT tenant_id, size FROM saved_heads)',
      );
      await client.query('INSERT INTO audit.events SELECT * FROM saved_events');
      await client.query('INSERT INTO audit.tree_heads SELECT * FROM saved_heads');
      await client.query('DROP TABLE saved_events, saved_heads');
    });
  }
  expect(await verdict()).toMatchObject({ ok: true });
});
