import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedNetwork, startNetwork, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goGenerator, pythonEnvironment, run } from './tools.ts';

const clients = join(import.meta.dirname, 'clients');

let started: StartedNetwork;
let tenant: TestTenant;
let scratch: string;
let document: string;
let address: string;
let caCertificate: string;

beforeAll(async () => {
  started = await startNetwork();
  [address] = started.installation.urls as [string];
  ({ caCertificate } = started.installation);
  tenant = await started.network.createTenant();
  scratch = mkdtempSync(join(tmpdir(), 'claviger-clients-'));
  document = join(scratch, 'openapi.json');
  const { text } = await started.network.anonymous.get('/openapi.json');
  writeFileSync(document, text);
});
afterAll(async () => {
  await started?.[Symbol.asyncDispose]();
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

/** A folder with the program that uses a generated client. */
function folderOf(language: string): string {
  const folder = join(scratch, language);
  cpSync(join(clients, language), folder, { recursive: true });
  return folder;
}

/** Asserts that the output of the program matches the installation. */
async function expectCreated(name: string, output: string): Promise<void> {
  const said = JSON.parse(output) as { id: string; listed: string[]; name: string };
  const entry = await tenant.admin.client.must('GET', `/api/v1/vault/entries/${said.id}`);
  expect(entry).toMatchObject({ id: said.id, name });
  expect(said).toEqual({ id: said.id, listed: [said.id], name });
}

test('a generated Python client lists and creates', async () => {
  const folder = folderOf('python');
  const bin = join(await pythonEnvironment(join(clients, 'python/requirements.txt')), 'bin');
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const target = join(folder, 'claviger_client');
  const generate = ['generate', '--path', document, '--output-path', target, '--meta', 'none'];
  await run(join(bin, 'openapi-python-client'), generate, { cwd: folder, env });
  await run(join(bin, 'python'), ['-m', 'compileall', '-q', target], { env });
  const name = `python ${randomUUID()}`;
  const args = ['main.py', address, caCertificate, await tenant.admin.freshToken(), name];
  await expectCreated(name, await run(join(bin, 'python'), args, { cwd: folder, env }));
});

test('a generated Go client compiles, lists and creates', async () => {
  const folder = folderOf('go');
  mkdirSync(join(folder, 'claviger'));
  const target = join(folder, 'claviger/client.go');
  const generate = ['-generate', 'types,client', '-package', 'claviger', '-o', target, document];
  await run(await goGenerator(), generate, { cwd: folder });
  const env = { ...process.env, GOFLAGS: '-mod=readonly' };
  await run('go', ['build', '-o', 'client', '.'], { cwd: folder, env });
  const name = `go ${randomUUID()}`;
  const args = [address, caCertificate, await tenant.admin.freshToken(), name];
  await expectCreated(name, await run(join(folder, 'client'), args));
});

test('a generated TypeScript client passes the type check, lists and creates', async () => {
  const folder = folderOf('typescript');
  const missing = 'install npm (as root: apt-get install npm)';
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, missing });
  const bin = join(folder, 'node_modules/.bin');
  await run(join(bin, 'openapi-typescript'), [document, '-o', 'claviger.d.ts'], { cwd: folder });
  await run(join(bin, 'tsc'), ['-p', '.'], { cwd: folder });
  const name = `typescript ${randomUUID()}`;
  const args = ['main.ts', address, await tenant.admin.freshToken(), name];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: caCertificate };
  await expectCreated(name, await run(process.execPath, args, { cwd: folder, env }));
});
