import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import { ensureEdgeCertificate, openCertificateAuthority } from '@claviger/identity';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ApiClient } from './api-client.ts';

let folder: string;
let ca: string;
let server: Server;
let client: ApiClient;
let keys: (string | undefined)[];
let behave: ((attempt: number, response: ServerResponse, request: IncomingMessage) => void) | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-api-client-'));
  const authority = await openCertificateAuthority(folder, 'ca', 'Test CA');
  const leaf = { certFile: join(folder, 'edge.crt'), keyFile: join(folder, 'edge.key') };
  await ensureEdgeCertificate(authority, ['localhost'], leaf);
  ca = await readFile(join(folder, 'ca.crt'), 'utf8');
  const [cert, key] = await Promise.all([readFile(leaf.certFile), readFile(leaf.keyFile)]);
  server = createServer({ cert, key }, (request, response) => {
    request.resume().on('end', () => {
      keys.push(request.headers['idempotency-key'] as string | undefined);
      behave?.(keys.length, response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  client = new ApiClient({ baseUrl: `https://localhost:${port}`, ca, token: async () => 'token' });
});
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  keys = [];
});

const create = () => client.call(vault.EntriesService.createEntry, { name: 'a', type: 'note', secret: 'x' });
const answer = (response: ServerResponse, status: number, body: object, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const problem = (response: ServerResponse, status: number, code: string): void =>
  answer(
    response,
    status,
    { type: `urn:claviger:problem:${code}`, title: 't', status, detail: 'd', code, retryable: true },
    { 'content-type': 'application/problem+json', 'retry-after': '1' },
  );

test('a POST whose answer is lost is sent again, once, under the same key', async () => {
  behave = (attempt, response) =>
    attempt === 1 ? response.destroy() : answer(response, 201, { id: 'e-1', name: 'a' });
  expect((await create()).entry).toMatchObject({ id: 'e-1' });
  expect(keys).toHaveLength(2);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(keys[1]).toBe(keys[0]);
  keys = [];
  behave = (_, response) => response.destroy();
  await expect(create()).rejects.toThrow();
  expect(keys).toHaveLength(2);
});

test('two commands never share a key', async () => {
  behave = (_, response) => answer(response, 201, { id: 'e-1', name: 'a' });
  await create();
  await create();
  expect(new Set(keys).size).toBe(2);
});

test('a sign-in has no key, and is not repeated', async () => {
  behave = (_, response) => response.destroy();
  const request = { username: 'a', password: 'b' };
  await expect(client.call(auth.AuthService.login, request)).rejects.toThrow();
  expect(keys).toEqual([undefined]);
});

test('a request that is refused temporarily is sent again until it is accepted', async () => {
  behave = (attempt, response) =>
    attempt === 1
      ? problem(response, 429, 'rate_limited')
      : attempt === 2
        ? problem(response, 409, 'request_in_progress')
        : answer(response, 201, { id: 'e-1', name: 'a' });
  expect((await create()).entry).toMatchObject({ id: 'e-1' });
  expect(keys).toHaveLength(3);
});
