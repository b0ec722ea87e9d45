import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTemporaryDataDir, type Installation, startInstallation } from '@claviger/installation';
import { bootstrapAdministrator } from '@claviger/operator/operator-client';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandOutcome, runInProcess } from './test-in-process.ts';

const main = join(import.meta.dirname, 'main.ts');
const rolePassword = 'first-password-of-the-role';
const userPassword = 'lanterns over quiet harbours';

let dataDir: string;
let installation: Installation;
let target: PostgresTarget;
let adminPassword: string;

const envOf = (profile: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  CLAVIGER_DATA_DIR: dataDir,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(dataDir, 'compile-cache'),
  XDG_CONFIG_HOME: join(dataDir, 'people'),
  CLAVIGER_PROFILE: profile,
});

/** Runs a command as the one whose profile it is. */
const claviger = (
  profile: string,
  args: readonly string[],
  input: string | Buffer = '',
  env: Record<string, string> = {},
): Promise<CommandOutcome> => runInProcess(args, { env: { ...envOf(profile), ...env }, input, cwd: dataDir });

/** Runs the command in a process of its own, whose standard output may be a file. */
function clavigerProcess(
  profile: string,
  args: readonly string[],
  stdout: number | 'pipe' = 'pipe',
): Promise<Omit<CommandOutcome, 'bytes' | 'code'> & { readonly code: number | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof clavigerProcess>>>();
  const child = spawn(process.execPath, [main, ...args], {
    cwd: dataDir,
    env: envOf(profile),
    stdio: ['ignore', stdout, 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  child.on('error', reject);
  child.on('close', (code) => resolve({ code, ...said }));
  return promise;
}

/** Runs a command that must succeed, and reads the JSON that it prints. */
async function json<T>(profile: string, args: readonly string[], input = ''): Promise<T> {
  const { code, stdout, stderr } = await claviger(profile, [...args, '-o', 'json'], input);
  expect(code, `claviger ${args.join(' ')}: ${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

/** The code that an authenticator app shows now (RFC 6238: SHA-1, 30 s, 6 digits). */
function totpOf(secret: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

const file = (name: string, content: unknown) => {
  const path = join(dataDir, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};

beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
  mkdirSync(join(dataDir, 'people'), { mode: 0o700 });
  [installation, target] = await Promise.all([
    startInstallation({ dataDir, environment: 'test', publicPort: 0, rateLimits: 'off' }),
    startPostgresTarget(),
  ]);
  await installation.openTargets(`${target.host}:${target.port}`);
  await target.createRole('app', rolePassword);
  const { configFile } = installation.operator;
  adminPassword = (await bootstrapAdministrator(configFile, 'root-admin')).password;
});

afterAll(async () => {
  await target?.stop();
  await installation?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Id {
  readonly id: string;
}

test('people do the whole job from the command line', async () => {
  const wrong = await claviger('admin', ['login', 'root-admin', '--password-stdin'], 'not it\n');
  expect(wrong).toMatchObject({ code: 3, stdout: '' });
  expect(wrong.stderr).toContain('claviger explain invalid_credentials');
  const unlocked = await claviger('nobody', [
    ...['unlock-admin', '--username', 'root-admin', '--from', '2001:db8::7'],
  ]);
  expect(unlocked).toMatchObject({ code: 0, stdout: '' });
  expect(unlocked.stderr).toContain('2001:db8:0:0::/64');

  await json('admin', ['login', 'root-admin', '--password-stdin'], `${adminPassword}\n`);
  const people = join(dataDir, 'people', 'claviger');
  expect(statSync(join(people, 'tokens.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(people, 'profiles.json'), 'utf8')).not.toContain(adminPassword);
  for (const [name, ...roles] of [
    ['alice', 'requester', 'approver'],
    ['bob', 'approver'],
    ['carol', 'auditor'],
  ]) {
    await json(
      'admin',
      ['users', 'create', name!, ...roles.flatMap((role) => ['--role', role]), '--password-stdin'],
      `${userPassword}\n`,
    );
    await json(name!, ['login', name!, '--password-stdin'], `${userPassword}\n`);
    // Until then the account counts as the administrator's, who knows its password.
    const change = ['password', '--password-stdin'];
    expect((await claviger(name!, change, `${userPassword}\n${userPassword} of ${name}\n`)).code).toBe(0);
  }
  expect((await claviger('alice', ['whoami'])).stdout).toContain('alice');

  const { host, port, database, certificate } = target;
  await json('admin', [
    'modules',
    'create',
    'pg',
    '--type',
    'postgres',
    '--config',
    file('module.json', { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [port] }),
  ]);
  await json('admin', [
    'resources',
    'create',
    'db',
    '--type',
    'database',
    '--module',
    'pg',
    '--host',
    host,
    '--port',
    String(port),
    '--settings',
    file('settings.json', { database, tls: { mode: 'pinned', certificate } }),
  ]);
  await json(
    'admin',
    ['entries', 'create', 'db-app', '--resource', 'db', '--username', 'app'],
    `${rolePassword}\n`,
  );
  await json('admin', [
    'resources',
    'policy',
    'db',
    '--file',
    file('policy.json', {
      steps: [{ name: 'one', quorum: 1, approverUserIds: [], approverRoles: [] }],
      maxDurationMinutes: 60,
      oneTime: true,
      rotateOnEnd: true,
      requestTtlMinutes: 60,
    }),
  ]);
  expect((await claviger('admin', ['modules', 'test', 'pg', '--resource', 'db'])).code).toBe(0);
  expect(
    (
      await claviger('alice', [
        'modules',
        'create',
        'x',
        '--type',
        'ssh',
        '--config',
        join(dataDir, 'module.json'),
      ])
    ).code,
  ).toBe(3);

  const request = await json<Id>('alice', ['request', 'db', '--for', '30m', '--reason', 'look']);
  expect((await claviger('alice', ['get', request.id])).code).toBe(4);
  expect((await claviger('alice', ['approve', request.id])).stderr).toContain('self_approval');
  const approved = await json<{ grantId: string }>('bob', ['approve', request.id, '--for', '15m']);

  const secretFile = join(dataDir, 'secret');
  const receiptFile = join(dataDir, 'receipt');
  const into = ['--output-file', secretFile, '--receipt-file', receiptFile];
  const received = await claviger('alice', ['get', request.id, ...into]);
  expect(received.code, received.stderr).toBe(0);
  expect(received.stdout + received.stderr).not.toContain(rolePassword);
  expect(readFileSync(secretFile, 'utf8')).toBe(rolePassword);
  expect(statSync(secretFile).mode & 0o777).toBe(0o600);
  // A file that is there is never written over, and the delivery is not spent on a mistake.
  expect((await claviger('alice', ['get', request.id, ...into])).code).toBe(2);
  expect(await claviger('alice', ['get', approved.grantId])).toMatchObject({ code: 6, stdout: '' });

  const why = await claviger('carol', ['why', request.id]);
  expect(why.stdout).toMatch(
    /^approved\. People decided it\.\n[\s\S]*Decided by “access policy[\s\S]* approved by bob \(one\)\n$/,
  );
  expect((await claviger('alice', ['why', approved.grantId])).code).toBe(5);
  expect((await claviger('carol', ['exposure', 'alice'])).stdout).toMatch(
    /db \/ db-app +1 +1 .* grant +possible/,
  );
  expect((await claviger('carol', ['exposure', 'rotate', 'alice', '--reason', 'left'])).code).toBe(3);

  await json('alice', ['revoke', approved.grantId, '--reason', 'done']);
  await expect
    .poll(
      async () =>
        (await json<{ items: { state: string }[] }>('admin', ['entries', 'rotations', 'db-app'])).items[0]
          ?.state,
      { interval: 1_000 },
    )
    .toBe('verified');
  expect(await target.accepts('app', rolePassword)).toBe(false);
  expect((await claviger('admin', ['exposure', 'alice'])).stderr).toContain('none found');
  expect((await claviger('admin', ['exposure', 'entry', 'db-app', '--past'])).stdout).toContain('1, former');
  const rotated = await claviger('admin', ['exposure', 'rotate', 'alice', '--reason', 'alice has left']);
  expect(rotated).toMatchObject({ code: 0, stderr: '0 queued, 0 before, 0 impossible\n' });
  const piped = await claviger('admin', ['entries', 'retrieve', 'db-app', '--reason', 'prove it']);
  expect(await target.accepts('app', piped.stdout.replace(/\n$/, ''))).toBe(true);

  const [head, keys, log] = ['head.json', 'keys.json', 'audit.jsonl'].map((name) => join(dataDir, name));
  await expect
    .poll(
      () =>
        claviger('carol', [
          'audit',
          'proof',
          (JSON.parse(readFileSync(receiptFile, 'utf8')) as { eventId: string }).eventId,
        ]),
      { interval: 1_000 },
    )
    .toMatchObject({ code: 0 });
  expect((await claviger('carol', ['audit', 'head', '--save', head!])).code).toBe(0);
  expect((await claviger('carol', ['audit', 'keys', '--save', keys!])).code).toBe(0);
  expect((await claviger('carol', ['audit', 'export', '--out', log!])).code).toBe(0);
  const sheet = join(dataDir, 'log.csv');
  const asCsv = ['audit', 'export', '--out', sheet, '--bom'];
  expect((await claviger('carol', asCsv)).code).toBe(2);
  expect((await claviger('carol', [...asCsv, '--format', 'csv'])).code).toBe(0);
  expect(readFileSync(sheet).subarray(0, 4)).toEqual(Buffer.from([0xef, 0xbb, 0xbf, 0x22]));
  const verify = ['audit', 'verify', log!, '--head', head!, '--keys', keys!, '--receipt', receiptFile];
  const verified = await claviger('nobody', verify);
  expect(verified.stdout).toMatch(
    /^✔ \d+ events, tree head signed by [0-9a-f]{16}, 1 kept head matched\n✔ receipt/,
  );
  expect(verified.code).toBe(0);
  writeFileSync(
    log!,
    readFileSync(log!, 'utf8').replace('vault.credentials.delivered', 'vault.credentials.refused'),
  );
  expect((await claviger('nobody', verify)).code).toBe(1);
}, 900_000);

test('commands that find their token run out at once renew it once, and all go on', async () => {
  const path = join(dataDir, 'people', 'claviger', 'tokens.json');
  const all = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    { expiresAt: number; refreshToken: string }
  >;
  const before = all.bob!.refreshToken;
  writeFileSync(path, JSON.stringify({ ...all, bob: { ...all.bob!, expiresAt: 0 } }));
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, () => clavigerProcess('bob', ['whoami', '-o', 'json'])),
  );
  for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0);
  const after = JSON.parse(readFileSync(path, 'utf8')) as typeof all;
  expect(after.bob!.refreshToken).not.toBe(before);
  expect(after.alice).toEqual(all.alice);
});

test('lists page to their end; a name that is shared by two is refused', async () => {
  for (let n = 0; n < 3; n += 1)
    await json('admin', ['entries', 'create', `key-${n}`, '--type', 'api-key', '--generate']);
  const some = await claviger('admin', ['entries', 'list', '--limit', '2', '-o', 'json']);
  expect((JSON.parse(some.stdout) as { items: unknown[] }).items).toHaveLength(2);
  expect(some.stderr).toContain('--all');
  const all = await json<{ items: unknown[]; totalItems: number }>('admin', ['entries', 'list', '--all']);
  expect(all.items).toHaveLength(all.totalItems);
  expect((await claviger('admin', ['entries', 'show', 'no-such-entry'])).code).toBe(5);
});

test('a second factor is set up, asked for at sign-in, and proved again to switch it off', async () => {
  await json('admin', ['users', 'create', 'dora', '--password-stdin'], `${userPassword}\n`);
  await json('dora', ['login', 'dora', '--password-stdin'], `${userPassword}\n`);
  const { secret } = await json<{ secret: string }>('dora', ['mfa', 'setup']);
  const wrong = await claviger('dora', ['mfa', 'confirm', '--code-stdin'], '000000\n');
  expect(wrong).toMatchObject({ stdout: '' });
  expect(wrong.code).not.toBe(0);
  const confirmed = await json<{ recoveryCodes: string[] }>(
    'dora',
    ['mfa', 'confirm', '--code-stdin'],
    `\r\n${totpOf(secret).replace(/^.../, '$&\u00a0')}\r\n`,
  );
  expect(confirmed.recoveryCodes.length).toBeGreaterThan(5);
  // The session goes on under a new id, with a refresh token of its own.
  const stored = readFileSync(join(dataDir, 'people', 'claviger', 'tokens.json'), 'utf8');
  expect((JSON.parse(stored) as Record<string, { refreshToken: string }>).dora!.refreshToken).not.toBe('');
  expect(await json('dora', ['whoami'])).toMatchObject({ user: { mfaEnabled: true } });

  expect((await claviger('dora', ['login', 'dora', '--password-stdin'], `${userPassword}\n`)).code).toBe(2);
  const [first, second] = confirmed.recoveryCodes;
  const signedIn = ['login', 'dora', '--password-stdin', '--recovery-code'];
  expect((await claviger('dora', signedIn, `${userPassword}\naaaa-bbbb-cccc-dddd\n`)).code).toBe(3);
  const typed = first!.toUpperCase().replaceAll('-', ' ');
  expect((await claviger('dora', signedIn, `${userPassword}\n\n ${typed} \n`)).code).toBe(0);
  // Proved at this sign-in: no further code is asked for.
  const renewed = await json<{ recoveryCodes: string[] }>('dora', ['mfa', 'recovery-codes']);
  expect(renewed.recoveryCodes).not.toContain(second);
  expect((await claviger('dora', ['mfa', 'disable'])).code).toBe(0);
  expect(await json('dora', ['whoami'])).toMatchObject({ user: { mfaEnabled: false } });
  // It takes a second factor of the administrator's own.
  const refused = await claviger('admin', ['users', 'disable-mfa', 'dora', '--code-stdin'], '000000\n');
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('mfa_not_set_up');
});

test('administrators change entries, roles and passwords', async () => {
  await json('admin', ['entries', 'create', 'to-change', '--type', 'note'], 'first\n');
  const changed = ['--name', 'changed', '--tag', 'a', '--requires-reason', '--secret-file'];
  writeFileSync(join(dataDir, 'second'), 'second\n', { mode: 0o600 });
  expect(
    await json('admin', ['entries', 'update', 'to-change', ...changed, join(dataDir, 'second')]),
  ).toMatchObject({ name: 'changed', tags: ['a'], requiresReason: true, currentVersion: 2 });
  expect(await json('admin', ['entries', 'update', 'changed', '--no-requires-reason'])).toMatchObject({
    requiresReason: false,
    tags: ['a'],
  });
  expect((await claviger('admin', ['entries', 'update', 'changed'])).code).toBe(2);
  expect((await claviger('admin', ['entries', 'schedule', 'changed', '--every', '24'])).code).toBe(6);
  expect((await claviger('admin', ['entries', 'delete', 'changed'])).code).toBe(0);
  expect((await claviger('admin', ['entries', 'show', 'changed'])).code).toBe(5);
  expect(await json('admin', ['entries', 'schedule', 'db-app', '--every', '24'])).toMatchObject({
    rotationIntervalHours: 24,
  });
  expect(await json('admin', ['entries', 'schedule', 'db-app', '--never'])).toMatchObject({
    rotationIntervalHours: 0,
  });

  const permission = ['--permission', 'vault.entries.read'];
  expect(await json('admin', ['roles', 'create', 'reader', ...permission])).toMatchObject({ name: 'reader' });
  expect(await json('admin', ['roles', 'update', 'reader', '--description', 'sees names'])).toMatchObject({
    description: 'sees names',
    permissions: ['vault.entries.read'],
  });
  expect((await claviger('admin', ['roles', 'list', '--all'])).stdout).toContain('sees names');
  expect((await claviger('admin', ['roles', 'permissions'])).stdout).toContain('vault.entries.read\n');
  expect((await claviger('admin', ['roles', 'delete', 'reader'])).code).toBe(0);
  expect((await claviger('admin', ['roles', 'delete', 'reader'])).code).toBe(5);

  const reset = await claviger('admin', ['users', 'reset-password', 'dora']);
  expect(reset.stdout).toMatch(/^https:\/\/localhost:\d+\/reset#token=\S+\n$/);
  expect(reset.stderr).toContain('give this one-time link to dora');
});

test('secrets come back byte for byte, and what is not UTF-8 is refused', async () => {
  const key = `-----BEGIN OPENSSH PRIVATE KEY-----\r\n${'A'.repeat(70)}\n-----END OPENSSH PRIVATE KEY-----\n`;
  await json('admin', ['entries', 'create', 'deploy-key', '--type', 'ssh-key'], key);
  const retrieve = ['entries', 'retrieve', 'deploy-key'];
  expect((await claviger('admin', retrieve)).stdout).toBe(key);
  expect(await json('admin', retrieve)).toMatchObject({ secret: key, type: 'ssh-key' });
  const path = (name: string) => join(dataDir, name);
  writeFileSync(path('key'), key.trimEnd());
  await json('admin', ['entries', 'update', 'deploy-key', '--secret-file', path('key')]);
  expect((await claviger('admin', retrieve)).stdout).toBe(key.trimEnd());

  const bytes = Buffer.from(Array.from({ length: 49_152 }, (_, n) => n * 31 + (n >> 8)));
  writeFileSync(path('keystore'), bytes);
  await json('admin', ['entries', 'create', 'keystore', '--type', 'file', '--secret-file', path('keystore')]);
  const { id } = await json<Id>('alice', ['request', 'keystore', '--for', '15m', '--reason', 'sign']);
  expect((await claviger('bob', ['approve', id])).code).toBe(0);
  expect((await claviger('alice', ['get', id])).bytes.equals(bytes)).toBe(true);
  // What is given anew is of the entry's type, and goes by standard input too.
  const latin1 = Buffer.from('\r\np\xe4ss\0\n', 'latin1');
  expect((await claviger('admin', ['entries', 'create', 'small', '--type', 'file'], latin1)).code).toBe(0);
  writeFileSync(path('small'), latin1.subarray(2));
  await json('admin', ['entries', 'update', 'small', '--secret-file', path('small')]);
  const small = await Promise.all(
    ['1', '2'].map(async (version) => {
      const into = ['--entry-version', version, '--output-file', path(`small.${version}`)];
      expect((await claviger('admin', ['entries', 'retrieve', 'small', ...into])).code).toBe(0);
      return readFileSync(path(`small.${version}`), 'latin1');
    }),
  );
  expect(small).toEqual(['\r\np\xe4ss\0\n', 'p\xe4ss\0\n']);

  const create = ['entries', 'create', 'never'];
  const refused = await Promise.all([
    claviger('admin', [...create, '--type', 'file'], Buffer.concat([bytes, bytes.subarray(0, 1)])),
    claviger('admin', [...create, '--type', 'note'], latin1.subarray(0, 5)),
    claviger('admin', create, Buffer.from('\ufeffpassword\r\n', 'utf16le')),
  ]);
  for (const [at, problem] of ['49153 bytes', '--type file', 'UTF-16LE'].entries())
    expect(refused[at]).toMatchObject({ code: 2, stderr: expect.stringContaining(problem) });

  // As PowerShell and Notepad write a password.
  const marked = `\ufeff${userPassword} of bob\r\n`;
  expect(await claviger('bob', ['login', 'bob', '--password-stdin'], marked)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('byte order mark'),
  });
});

test('an answer that a full disk does not take ends with 1 and one line', async () => {
  const full = openSync('/dev/full', 'a');
  const commands = [
    ['whoami', '-o', 'json'],
    ['entries', 'list', '--all'],
    ['entries', 'retrieve', 'small'],
    ['audit', 'export'],
  ];
  const outcomes = await Promise.all(commands.map((args) => clavigerProcess('admin', args, full)));
  closeSync(full);
  for (const { code, stderr } of outcomes)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^claviger: standard output cannot be written .*\n$/),
    ]);
});

test('tokens for machines, raw calls, and a sign-in that belongs to its server', async () => {
  const { token, apiToken } = await json<{ token: string; apiToken: Id }>('admin', [
    'tokens',
    'create',
    'ci',
    '--days',
    '1',
  ]);
  const asMachine = (args: string[]) => claviger('nobody', args, '', { CLAVIGER_TOKEN: token });
  expect((await asMachine(['api', 'GET', '/api/v1/users/me'])).stdout).toContain('root-admin');
  const withLineEnd = await claviger('nobody', ['whoami'], '', { CLAVIGER_TOKEN: `${token}\r` });
  expect(withLineEnd).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('set it to the token alone'),
  });
  const curl = await asMachine(['whoami', '--show-curl']);
  expect(curl.stderr).toContain('/api/v1/users/me');
  expect(curl.stdout + curl.stderr).not.toContain(token);
  expect((await claviger('admin', ['tokens', 'revoke', apiToken.id])).code).toBe(0);
  expect((await asMachine(['whoami'])).code).toBe(3);

  const elsewhere = await claviger('admin', ['whoami', '--server', 'https://localhost:1']);
  expect(elsewhere).toMatchObject({ code: 3 });
  expect(elsewhere.stderr).toContain('nobody is signed in at https://localhost:1');
  expect((await claviger('admin', ['whoami', '--server', 'http://localhost:1'])).code).toBe(2);
  expect((await claviger('admin', ['api', 'POST', '/api/v1/users', '--data', '{"password":"x"}'])).code).toBe(
    2,
  );
  // Without the installation's CA, its certificate is not trusted.
  const foreign = { CLAVIGER_DATA_DIR: '/nonexistent', CLAVIGER_ADDR: installation.url, CLAVIGER_TOKEN: 'x' };
  const untrusted = await claviger('nobody', ['whoami'], '', foreign);
  expect(untrusted.code).toBe(1);
  expect(untrusted.stderr).toContain('--ca');

  expect((await claviger('carol', ['logout'])).code).toBe(0);
  expect((await claviger('carol', ['whoami'])).code).toBe(3);
});
