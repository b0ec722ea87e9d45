import { randomBytes } from 'node:crypto';
import { targetPolicy } from '@claviger/outbound';
import { type HttpTarget, type HttpTargetAnswer, openLoopback, startHttpTarget } from '@claviger/targets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { givingUpWhen, loopbackContext } from '../testing-context.ts';
import { valueAt } from './json-pointer.ts';

const connector = connectorFor('http');
const newPassword = () => `${randomBytes(12).toString('base64url')}'"\\ %&=+{password}x9`;
let server: HttpTarget;
let username: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startHttpTarget();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await server.setMode('ok');
  username = `svc ${randomBytes(4).toString('hex')}/é?#`.replace('é', 'e');
  current = newPassword();
  next = newPassword();
  server.createAccount(username, current);
});

const verify = {
  method: 'GET',
  path: '/api/me',
  basicAuth: { username: '{username}', password: '{password}' },
  accepted: { status: [200], pointer: '/user', equals: '{username}' },
};
const change = {
  method: 'POST',
  path: '/api/users/{username}/password',
  body: { type: 'json', value: { password: '{newPassword}', note: ['by {username}'] } },
  accepted: { status: [200], pointer: '/changed', equals: true },
};
const self = (more: object = {}) => ({
  host: '127.0.0.1',
  port: server.port,
  tls: { mode: 'pinned', certificate: server.certificate },
  verify,
  rotate: { ...change, basicAuth: { username: '{username}', password: '{password}' } },
  ...more,
});
const byAdmin = () =>
  self({
    rotateAs: 'admin',
    rotate: { ...change, basicAuth: { username: '{adminUsername}', password: '{adminPassword}' } },
  });
const rotate = (config: object, secrets: object = {}, ctx = loopbackContext()) =>
  connector.rotate(config, { username }, { current, next, ...secrets }, ctx);
const verified = (secret: string, config: object = self(), ctx = loopbackContext()) =>
  connector.verify(config, { username }, secret, ctx);
const accepted = () => [server.accepts(username, current), server.accepts(username, next)];

test('after a rotation by the account itself the old password is refused and the new one accepted', async () => {
  expect(await rotate(self())).toEqual({ outcome: 'applied' });
  expect(accepted()).toEqual([false, true]);
  expect(await verified(next)).toEqual({ outcome: 'accepted' });
  expect(await verified(current)).toMatchObject({ outcome: 'refused' });
});

test('the same after a rotation by an administrator, and with a login by form', async () => {
  expect(await rotate(byAdmin(), { current: undefined, admin: server.admin })).toEqual({
    outcome: 'applied',
  });
  expect(accepted()).toEqual([false, true]);
  const form = {
    method: 'POST',
    path: '/api/login',
    body: { type: 'form', value: { username: '{username}', password: '{password}' } },
    accepted: { status: [200] },
  };
  expect(await verified(next, self({ verify: form }))).toEqual({ outcome: 'accepted' });
  expect(await verified(current, self({ verify: form }))).toMatchObject({ outcome: 'refused' });
});

test('no password is part of a URL', () => {
  for (const request of server.requests()) expect(request).not.toMatch(/x9|password=/);
  expect(server.requests().join()).toContain('%2F');
});

test('a worker that may no longer change anything sends nothing', async () => {
  const before = server.requests().length;
  expect(await rotate(self(), {}, loopbackContext({ mayChange: () => 0 }))).toMatchObject({
    outcome: 'refused',
    kind: 'unreachable',
  });
  expect(server.requests()).toHaveLength(before);
});

describe('a refusal leaves the old password in place', () => {
  test.each<[string, string, () => Promise<object>]>([
    ['a wrong current password', 'authentication', () => rotate(self(), { current: 'wrong' })],
    [
      'a wrong administrator password',
      'authentication',
      () => rotate(byAdmin(), { admin: { ...server.admin, password: 'wrong' } }),
    ],
    ['no administrator', 'permission', () => rotate(byAdmin())],
    ['a new password outside ASCII', 'policy', () => rotate(self(), { next: 'pässword' })],
    [
      'a policy that refuses',
      'policy',
      async () => {
        await server.setMode('refuse_policy');
        return rotate(self());
      },
    ],
    [
      'an administrator who is none',
      'permission',
      async () => {
        server.createAccount('weak', current);
        return rotate(byAdmin(), { admin: { username: 'weak', password: current } });
      },
    ],
    [
      'a target that is down',
      'unreachable',
      async () => {
        await server.setMode('down');
        return rotate(self());
      },
    ],
    [
      'a target that the module may not reach',
      'permission',
      () =>
        rotate(
          self(),
          {},
          loopbackContext({ allow: targetPolicy({ cidrs: ['10.0.0.0/8'], ports: [443] }, openLoopback) }),
        ),
    ],
    ['a target with another certificate', 'permission', () => rotate(self({ tls: { mode: 'system' } }))],
  ])('%s: %s', async (_what, kind, attempt) => {
    const result = await attempt();
    expect(result).toMatchObject({ outcome: 'refused', kind });
    expect(JSON.stringify(result)).not.toContain(next);
    expect(accepted()).toEqual([true, false]);
  });
});

describe('a result that does not exclude a change is ambiguous', () => {
  test('the target changes the password and never answers', async () => {
    await server.setMode('apply_then_timeout');
    const hasChanged = () => server.accepts(username, next);
    expect(await givingUpWhen(hasChanged, (ctx) => rotate(self(), {}, ctx))).toMatchObject({
      outcome: 'ambiguous',
    });
    expect(accepted()).toEqual([false, true]);
  });
  test('the target changes the password and answers with an error', async () => {
    await server.setMode('apply_then_error');
    expect(await rotate(self())).toMatchObject({ outcome: 'ambiguous' });
    expect(accepted()).toEqual([false, true]);
  });
  test('a login detects that a target reports success and changes nothing', async () => {
    await server.setMode('lie_ok');
    expect(await rotate(self())).toEqual({ outcome: 'applied' });
    expect(await verified(next)).toMatchObject({ outcome: 'refused' });
    expect(await verified(current)).toEqual({ outcome: 'accepted' });
  });
  test('the login of a locked account does not show whether its password is valid', async () => {
    await server.setMode('lock_after_3');
    for (let turn = 0; turn < 3; turn += 1)
      expect(await verified('wrong-password')).toMatchObject({ outcome: 'refused' });
    expect(await verified(current)).toMatchObject({ outcome: 'unknown', kind: 'not_possible' });
  });
  test('a target that is down, or that answers for another account, verifies no password', async () => {
    await server.setMode('down');
    expect(await verified(current)).toMatchObject({ outcome: 'unknown' });
    await server.setMode('ok');
    const other = { ...verify, accepted: { status: [200], pointer: '/user', equals: 'somebody' } };
    expect(await verified(current, self({ verify: other }))).toMatchObject({ outcome: 'unknown' });
    expect(await verified('')).toMatchObject({ outcome: 'unknown' });
  });
});

const waits = { 'retry-after': '90' };
test.each<[HttpTargetAnswer, string | undefined, string, string]>([
  [{ status: 403 }, undefined, 'permission', 'permission'],
  [{ status: 422 }, undefined, 'policy', 'rules'],
  [{ status: 423 }, 'not_possible', 'not_possible', 'Unlock'],
  [{ status: 429, headers: waits }, 'not_now', 'not_now', 'wait 90 seconds'],
  [{ status: 503, headers: waits }, 'not_now', 'not_now', 'wait 90 seconds'],
])('an answer %j to a login is of the kind %s, to a change %s', async (answer, login, kind, hint) => {
  await server.setMode(answer);
  expect(await verified(current)).toMatchObject({ outcome: 'unknown', kind: login ?? 'protocol' });
  const result = await rotate(self());
  expect(result).toMatchObject({ outcome: 'refused', kind, hint: expect.stringContaining(hint) });
  expect(accepted()).toEqual([true, false]);
});

test('a change answered with 503 without `Retry-After` is ambiguous', async () => {
  await server.setMode({ status: 503 });
  expect(await verified(current)).toMatchObject({ outcome: 'unknown', kind: 'not_now' });
  expect(await rotate(self())).toMatchObject({ outcome: 'ambiguous' });
});

test('the settings define the meaning of an answer; the first match applies', async () => {
  const says = (error: string, kind: string, hint?: string) => ({
    status: [422],
    pointer: '/error',
    equals: error,
    kind,
    ...(hint === undefined ? {} : { hint }),
  });
  const refused = [
    says('too young', 'not_now', 'See min_age in app.conf.'),
    says('locked', 'not_possible'),
    { status: [422], kind: 'policy' },
  ];
  const login = [says('expired', 'not_possible', 'Run appctl renew.'), { status: [422] }];
  const { rotate: request } = self();
  const config = self({ verify: { ...verify, refused: login }, rotate: { ...request, refused } });
  const outcomes: [string, string, string][] = [
    ['too young', 'not_now', 'min_age'],
    ['locked', 'not_possible', 'Unlock'],
    ['too short', 'policy', 'rules'],
  ];
  for (const [error, kind, hint] of outcomes) {
    await server.setMode({ status: 422, body: { error } });
    expect(await rotate(config)).toMatchObject({ kind, hint: expect.stringContaining(hint) });
  }
  expect(await verified(current, config)).toMatchObject({ outcome: 'refused' });
  await server.setMode({ status: 422, body: { error: 'expired' } });
  expect(await verified(current, config)).toMatchObject({
    outcome: 'unknown',
    kind: 'not_possible',
    hint: 'Run appctl renew.',
  });
});

test('names with a domain and letters beyond ASCII log in and are rotated', async () => {
  const form = {
    method: 'POST',
    path: '/api/login',
    body: { type: 'form', value: { username: '{username}', password: '{password}' } },
    accepted: { status: [200], pointer: '/user', equals: '{username}' },
  };
  for (const name of ['ann@corp.example', 'CORP\\ann', 'Jürgen Groß', '李 雷', 'q"&=+%41/?#', '🔑']) {
    [username, current, next] = [name, newPassword(), newPassword()];
    server.createAccount(username, current);
    for (const config of [self(), self({ verify: form })])
      expect([name, await verified(current, config)]).toEqual([name, { outcome: 'accepted' }]);
    expect([name, await rotate(self())]).toEqual([name, { outcome: 'applied' }]);
    expect(accepted()).toEqual([false, true]);
  }
});

test('a name that cannot be sent unchanged is not sent, and the hint names an alternative', async () => {
  const before = server.requests().length;
  const inHeader = { ...verify, headers: { 'x-user': '{username}' } };
  for (const [name, config] of [
    ['a:b', self()],
    ['Jürgen', self({ verify: inHeader })],
  ] as const) {
    username = name;
    expect(await verified('secret', config)).toMatchObject({
      outcome: 'unknown',
      kind: 'configuration',
      hint: expect.stringContaining('body'),
    });
  }
  for (const name of ['', ' a', 'a ', 'a\u0000', 'a\ud800', 'x'.repeat(256)]) {
    username = name;
    expect(await verified('secret')).toMatchObject({ outcome: 'unknown', kind: 'configuration' });
  }
  expect(server.requests()).toHaveLength(before);
});

test('the connection test distinguishes refused, unreachable, untrusted and not allowed', async () => {
  const credential = { username, password: current };
  const tested = (config: object, password = current, ctx = loopbackContext()) =>
    connector.test(config, { ...credential, password }, ctx);
  expect(await tested(self())).toMatchObject({ ok: true });
  expect(await tested(self(), 'wrong')).toMatchObject({ ok: false, refused: true });
  expect(await tested(self({ tls: { mode: 'system' } }))).toMatchObject({
    problem: expect.stringContaining('identity'),
    hint: expect.stringContaining('certificate'),
  });
  const allow = targetPolicy({ cidrs: [], ports: [] }, openLoopback);
  expect(await tested(self(), current, loopbackContext({ allow }))).toMatchObject({
    hint: expect.stringContaining('allowedCidrs'),
  });
  await server.setMode('down');
  expect(await tested(self())).toMatchObject({
    problem: expect.stringContaining('ECONNREFUSED'),
    hint: expect.stringContaining('port'),
  });
});

test.each<[string, string, object]>([
  ['a secret in the address', 'rotate.path', { rotate: { ...change, path: '/set?p={newPassword}' } }],
  ['a user name in the query', 'verify.path', { verify: { ...verify, path: '/me?u={username}' } }],
  [
    'a user name beside other text in a segment',
    'verify.path',
    { verify: { ...verify, path: '/me/x{username}' } },
  ],
  ['a path that leaves its place', 'verify.path', { verify: { ...verify, path: '/a/../b' } }],
  ['another host in the path', 'verify.path', { verify: { ...verify, path: '//evil.example/' } }],
  ['a path that is none', 'verify.path', { verify: { ...verify, path: '@evil.example/' } }],
  ['an unknown placeholder', 'verify.headers.x-a', { verify: { ...verify, headers: { 'x-a': '{passwd}' } } }],
  [
    'a line break in a header',
    'verify.headers.x-a',
    { verify: { ...verify, headers: { 'x-a': 'a\r\nb: c' } } },
  ],
  [
    'a credential in the settings',
    'verify.headers',
    { verify: { ...verify, headers: { Authorization: 'Bearer x' } } },
  ],
  ['a header of the connection', 'verify.headers', { verify: { ...verify, headers: { Host: 'x' } } }],
  ['a login without the password', 'verify', { verify: { ...verify, basicAuth: undefined } }],
  ['a change without the new password', 'rotate', { rotate: { ...change, body: undefined } }],
  ['a change that nobody proves', 'rotate', { rotate: change }],
  ['a host that is an option', 'host', { host: '-oProxyCommand=id' }],
])('%s is refused, naming the field', (_what, field, more) => {
  const result = connector.configSchema.safeParse(self(more));
  expect(result.error?.issues.map(({ path }) => path.join('.'))).toContain(field);
});

test('a pointer finds only members of the document itself', () => {
  const document = JSON.parse('{"a":{"b/c":[1,{"~":2}]},"__proto__":{"x":3}}');
  expect(valueAt(document, '/a/b~1c/1/~0')).toBe(2);
  expect(valueAt(document, '')).toBe(document);
  for (const pointer of ['/constructor', '/a/toString', '/x', '/a/b~1c/length/x', '/a/b~1c/9'])
    expect(valueAt(document, pointer)).toBeUndefined();
});
