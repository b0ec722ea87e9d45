import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { baseConfigSchema, loadConfig, splitAddress } from './config.ts';
import { readSecretFile } from './secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'claviger-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function file(content: unknown): string {
  files += 1;
  const path = join(folder, `${files}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const schema = z.strictObject({ ...baseConfigSchema.shape, pepperFile: z.string() });
const sound = {
  environment: 'test',
  node: 'auth-1',
  grpc: { certFile: 'a', keyFile: 'b', caFile: 'c' },
  health: { listen: '127.0.0.1:1' },
  peers: {},
  redis: { host: 'h', port: 1, passwordFile: 'p' },
  nats: { url: 'u', user: 'u', passwordFile: 'p' },
  pepperFile: 'x',
};

test('a valid configuration is read, with defaults', () => {
  expect(loadConfig(schema, file(sound))).toMatchObject({ ...sound, logLevel: 'info', telemetry: {} });
});

test.each([
  ['an unknown key', { ...sound, pepper: 'secret' }, 'pepper'],
  ['an unknown nested key', { ...sound, redis: { ...sound.redis, password: 'x' } }, 'redis'],
  ['a missing key', { ...sound, pepperFile: undefined }, 'pepperFile'],
  ['a wrong value', { ...sound, health: { listen: 'nowhere' } }, 'health.listen: must be host:port'],
  ['a wrong environment', { ...sound, environment: 'prod' }, 'environment'],
])('%s is refused, and the error names it', (_, content, named) => {
  expect(() => loadConfig(schema, file(content))).toThrow(named);
});

test.each([
  'http://127.0.0.1:4318',
  'https://traces.internal/otlp/',
  'http://[::1]:4318',
  'http://collector_1.ns.svc:4318',
  'https://Traces.Internal',
])('the trace endpoint may be %s', (otlpEndpoint) => {
  const read = loadConfig(schema, file({ ...sound, telemetry: { otlpEndpoint } }));
  expect(read.telemetry).toEqual({ otlpEndpoint });
});

test.each([
  ['127.0.0.1:4318', 'http:// or https://'],
  ['localhost:4318', 'http:// or https://'],
  ['grpc://127.0.0.1:4317', 'gRPC'],
  ['ftp://127.0.0.1', 'http:// or https://'],
  ['http:127.0.0.1', 'http:// or https://'],
  ['http://', 'must be a URL'],
  ['http:///v1', 'must be a URL'],
  ['http://4318', 'must name a host'],
  ['http://127.1:4318', 'must name a host'],
  ['http://127.0.0.1:65536', 'must be a URL'],
  ['http://127.0.0.1:0', 'must be a URL'],
  ['http://127.0.0.1:x', 'must be a URL'],
  ['http://canary:canary@127.0.0.1:4318', 'must not contain a user name'],
  ['http://canary@127.0.0.1', 'must not contain a user name'],
  ['http://127.0.0.1:4318?token=canary', 'must not contain a query'],
  ['http://127.0.0.1:4318/#canary', 'must not contain a query'],
  ['http://127.0.0.1:4318/v1/traces', 'before /v1/traces'],
  [' http://127.0.0.1:4318', 'http:// or https://'],
  ['http://127.0.0.1:4318 ', 'must be a URL'],
  ['http://127.0\n.0.1:4318', 'must be a URL'],
  ['http://127.0.0.1\\canary', 'must be a URL'],
  ['http://münchen:4318', 'must be a URL'],
  ['', 'http:// or https://'],
])('%j is refused as trace endpoint, and the error does not quote it', (otlpEndpoint, said) => {
  const read = () => loadConfig(schema, file({ ...sound, telemetry: { otlpEndpoint } }));
  expect(read).toThrow(said);
  expect(read).toThrow('telemetry.otlpEndpoint: ');
  expect(read).not.toThrow('canary');
});

test('a missing file or invalid JSON is refused, and the error names the file', () => {
  expect(() => loadConfig(schema, join(folder, 'absent.json'))).toThrow(/absent\.json/);
  expect(() => loadConfig(schema, file('{'))).toThrow(/cannot be read/);
});

test('a secret is the content of its file without the final newline; an empty file is refused', () => {
  expect(readSecretFile(file('s3cret \n'))).toBe('s3cret ');
  expect(readSecretFile(file('a\nb\r\n'))).toBe('a\nb');
  for (const content of ['', '\n']) expect(() => readSecretFile(file(content))).toThrow(/is empty/);
  const latin1 = join(folder, 'latin1');
  writeFileSync(latin1, Buffer.from('p\xe4ss', 'latin1'));
  expect(() => readSecretFile(latin1)).toThrow(/latin1 is not UTF-8/);
});

test('addresses split at the last colon', () => {
  expect(splitAddress('[::1]:80')).toEqual({ host: '::1', port: 80 });
  expect(splitAddress('127.0.0.1:443')).toEqual({ host: '127.0.0.1', port: 443 });
});
