import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkCanary, createCanary } from '../canary.ts';
import { createKek, openKek } from '../kek.ts';
import type { RootKeyProvider } from '../root-key-provider.ts';
import { awsKmsProvider } from './aws-kms-provider.ts';
import { type FakeKms, startFakeKms } from './fake-kms.ts';
import { signed } from './signature-v4.ts';

const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const ids = { tenantId: 't-1', kekId: 'k-1', version: 1 };
let folder: string;
let credentialsFile: string;
let kms: FakeKms;
let provider: RootKeyProvider;

const open = (timeoutMs: number) =>
  awsKmsProvider({ keyArn, credentialsFile, endpoint: kms.endpoint, timeoutMs });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-kms-'));
  credentialsFile = join(folder, 'credentials');
  kms = await startFakeKms(keyArn);
});
beforeEach(async () => {
  await writeFile(
    credentialsFile,
    '[other]\naws_access_key_id = WRONG\naws_secret_access_key = wrong\n[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = the/secret+access/key\naws_session_token = token\n',
    { mode: 0o600 },
  );
  Object.assign(kms, { mode: 'ok', refusals: Number.POSITIVE_INFINITY });
  provider = await open(20_000);
});
afterAll(async () => {
  await kms?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('requests are signed as in the example of the AWS documentation', () => {
  const headers = signed(
    {
      method: 'GET',
      path: '/',
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: {
        host: 'iam.amazonaws.com',
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      },
      body: '',
    },
    { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    { region: 'us-east-1', service: 'iam', now: new Date('2015-08-30T12:36:00Z') },
  );
  expect(headers.authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, ' +
      'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  );
});

test('a KEK is unwrapped with its key and ids, which are the encryption context', async () => {
  const wrapped = await createKek(provider, ids);
  expect((await openKek(provider, wrapped, ids)).kekId).toBe('k-1');
  expect(provider.id).toBe(`aws-kms:${keyArn}`);
  const call = kms.calls.at(-1)!;
  expect(Buffer.from(call.context.claviger!, 'base64').toString()).toContain('k-1');
  expect(call.authorization).toMatch(/Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/kms\/aws4_request/);
  expect(call.authorization).toContain('x-amz-security-token');
  expect(JSON.stringify(kms.calls)).not.toContain('the/secret');
  await expect(openKek(provider, wrapped, { ...ids, version: 2 })).rejects.toMatchObject({
    reason: 'root_refused',
  });
});

test('data that was changed, cut, or wrapped by another provider is an integrity error, not an outage', async () => {
  const wrapped = await createKek(provider, ids);
  for (const at of [0, 1, 20, wrapped.length - 1]) {
    const changed = Buffer.from(wrapped);
    changed[at]! ^= 1;
    await expect(openKek(provider, changed, ids)).rejects.toMatchObject({ reason: 'root_refused' });
  }
  await expect(openKek(provider, Buffer.of(2), ids)).rejects.toMatchObject({ reason: 'root_refused' });
});

test.each([
  ['denied', 'refused', /kms:Decrypt/],
  ['disabled', 'unreachable', /enable it/],
  ['throttled', 'unreachable', /ThrottlingException/],
  ['slow', 'unreachable', /does not answer/],
  ['down', 'unreachable', /does not answer/],
  ['gateway', 'unreachable', /HTTP 502/],
] as const)(
  'while KMS is %s nothing is unwrapped or reported as changed, and it works afterwards',
  async (mode, code, message) => {
    const wrapped = await createKek(provider, ids);
    const canary = await createCanary(provider);
    kms.mode = mode;
    // Only a missing answer takes the whole time limit; other failures end after three attempts.
    const asked = mode === 'slow' ? await open(300) : provider;
    const refusal = { name: 'RootKeyError', code, message: expect.stringMatching(message) };
    await expect(openKek(asked, wrapped, ids)).rejects.toMatchObject(refusal);
    await expect(checkCanary(asked, canary)).rejects.toMatchObject(refusal);
    expect(await asked.health()).toMatchObject({ ok: false, problem: expect.stringMatching(message) });
    kms.mode = 'ok';
    expect((await openKek(provider, wrapped, ids)).kekId).toBe('k-1');
    expect(await checkCanary(provider, canary)).toBe(true);
    expect(await provider.health()).toEqual({ ok: true });
  },
);

test('a short throttling is retried', async () => {
  Object.assign(kms, { mode: 'throttled', refusals: 1 });
  await createKek(provider, ids);
});

test.each<[string, FakeKms['lie']]>([
  [
    'another plaintext',
    (good) => ({ ...good, ...(good.Plaintext ? { Plaintext: Buffer.alloc(64, 7).toString('base64') } : {}) }),
  ],
  ['no plaintext', ({ KeyId }) => ({ KeyId: KeyId! })],
  ['a short plaintext', (good) => ({ ...good, ...(good.Plaintext ? { Plaintext: 'AAAA' } : {}) })],
  ['another key', (good) => ({ ...good, KeyId: keyArn.replace('1234abcd', '99999999') })],
])('an answer of KMS with %s is refused', async (_, lie) => {
  const wrapped = await createKek(provider, ids);
  Object.assign(kms, { mode: 'lies', lie });
  await expect(openKek(provider, wrapped, ids)).rejects.toThrow();
  // Data that cannot be decrypted again is never stored.
  await expect(createKek(provider, ids)).rejects.toMatchObject({ name: 'RootKeyError', code: 'unreachable' });
  kms.mode = 'ok';
  await openKek(provider, wrapped, ids);
});

test('credentials are read for each call, and refused when others can read them', async () => {
  const wrapped = await createKek(provider, ids);
  await chmod(credentialsFile, 0o644);
  await expect(openKek(provider, wrapped, ids)).rejects.toMatchObject({ code: 'permissions' });
  await chmod(credentialsFile, 0o600);
  await writeFile(credentialsFile, '[default]\naws_access_key_id = OTHERID\n');
  await expect(openKek(provider, wrapped, ids)).rejects.toMatchObject({ code: 'unreadable' });
  await writeFile(credentialsFile, '[default]\naws_access_key_id = OTHERID\naws_secret_access_key = x\n');
  await openKek(provider, wrapped, ids);
  expect(kms.calls.at(-1)!.authorization).toContain('Credential=OTHERID/');
});

test('a closed provider makes no calls', async () => {
  const wrapped = await createKek(provider, ids);
  const before = kms.calls.length;
  provider.close();
  await expect(openKek(provider, wrapped, ids)).rejects.toMatchObject({ code: 'closed' });
  expect(kms.calls.length).toBe(before);
});
