import { randomBytes } from 'node:crypto';
import { type MysqlTarget, startMysqlTarget } from '@claviger/targets';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';
import { ed25519Hash } from './ed25519.ts';
import { nativePasswordHash } from './native-password-hash.ts';

const connector = connectorFor('mysql');
const newPassword = () => `Aa1'-${randomBytes(15).toString('base64url')}`;
let server: MysqlTarget;
let username: string;
let current: string;
let next: string;

beforeAll(async () => {
  server = await startMysqlTarget();
  await server.sql("INSTALL SONAME 'auth_ed25519'");
});
afterAll(() => server?.stop());
beforeEach(() => {
  username = `a${randomBytes(4).toString('hex')}`;
  current = newPassword();
  next = newPassword();
});

const self = (more: object = {}) => ({
  host: '127.0.0.1',
  port: server.port,
  tls: { mode: 'disable' },
  ...more,
});
const byAdmin = (more: object = {}) => self({ rotateAs: 'admin', ...more });
const withTls = () => ({ tls: { mode: 'pinned', certificate: server.certificate } });
const rotate = (config: object, secrets: object = {}) =>
  connector.rotate(
    config,
    { username },
    { current, next, admin: server.admin, ...secrets },
    loopbackContext(),
  );
const verify = (secret: string, config: object = self()) =>
  connector.verify(config, { username }, secret, loopbackContext());
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
/** `%p` is the current password. */
const create = (rest: string, host = '%') =>
  server.sql(`CREATE USER ${username}@'${host}' ${rest.replaceAll('%p', quoted(current))}`);
const definition = async (host = '%') =>
  String(Object.values((await server.sql(`SHOW CREATE USER ${username}@'${host}'`))[0] ?? {})[0]);
/** The definition, with the hashes of the password replaced by the names of their plugins. */
const shape = async (password: string, host = '%') =>
  (await definition(host))
    .replace(nativePasswordHash(password), 'NATIVE')
    .replace(ed25519Hash(password), 'ED25519')
    .replace(/^CREATE USER `\w+`@`[^`]*` /, '');

describe('the password is set in every alternative that has one, and nothing else changes', () => {
  test.each([
    [
      'VIA ed25519 USING PASSWORD(%p) OR mysql_native_password USING PASSWORD(%p)',
      "VIA ed25519 USING 'ED25519' OR mysql_native_password USING 'NATIVE'",
    ],
    [
      'VIA mysql_native_password USING PASSWORD(%p) OR ed25519 USING PASSWORD(%p)',
      "VIA mysql_native_password USING 'NATIVE' OR ed25519 USING 'ED25519'",
    ],
    [
      'VIA unix_socket OR mysql_native_password USING PASSWORD(%p)',
      "VIA unix_socket OR mysql_native_password USING 'NATIVE'",
    ],
    [
      "VIA mysql_native_password USING PASSWORD(%p) OR unix_socket USING 'some-user'",
      "VIA mysql_native_password USING 'NATIVE' OR unix_socket USING 'some-user'",
    ],
    ['VIA ed25519 USING PASSWORD(%p)', "VIA ed25519 USING 'ED25519'"],
    ['BY %p', "BY PASSWORD 'NATIVE'"],
  ])('an administrator: %s', async (identified, expected) => {
    const rest = ' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE INTERVAL 9 DAY';
    await create(`IDENTIFIED ${identified}${rest}`);
    expect(await verify(current, self(withTls()))).toEqual({ outcome: 'accepted' });
    expect(await rotate(byAdmin(withTls()), { current: undefined })).toEqual({ outcome: 'applied' });
    expect(await shape(next)).toBe(`IDENTIFIED ${expected}${rest}`);
    expect(await verify(next, self(withTls()))).toEqual({ outcome: 'accepted' });
    expect(await verify(current, self(withTls()))).toMatchObject({ outcome: 'refused' });
    expect(server.generalLog()).not.toContain(next.slice(5));
  });

  test.each([
    ['VIA ed25519 USING PASSWORD(%p)', "VIA ed25519 USING 'ED25519'"],
    [
      'VIA unix_socket OR mysql_native_password USING PASSWORD(%p)',
      "VIA unix_socket OR mysql_native_password USING 'NATIVE'",
    ],
    ['VIA unix_socket OR ed25519 USING PASSWORD(%p)', "VIA unix_socket OR ed25519 USING 'ED25519'"],
    [
      'VIA mysql_native_password USING PASSWORD(%p) OR unix_socket',
      "VIA mysql_native_password USING 'NATIVE' OR unix_socket",
    ],
  ])('the account itself: %s', async (identified, expected) => {
    await create(`IDENTIFIED ${identified}`);
    expect(await rotate(self())).toEqual({ outcome: 'applied' });
    expect(await shape(next)).toBe(`IDENTIFIED ${expected}`);
    expect([await verify(next), await verify(current)]).toMatchObject([
      { outcome: 'accepted' },
      { outcome: 'refused' },
    ]);
    expect(server.generalLog()).not.toContain(next.slice(5));
  });

  test('an account with several passwords cannot rotate itself: the former one would stay in the second', async () => {
    await create('IDENTIFIED VIA ed25519 USING PASSWORD(%p) OR mysql_native_password USING PASSWORD(%p)');
    const before = await definition();
    expect(await rotate(self())).toMatchObject({
      outcome: 'refused',
      kind: 'permission',
      hint: expect.stringContaining('rotateAs: admin'),
    });
    expect(await definition()).toBe(before);
  });

  test.each(['VIA unix_socket', "VIA mysql_native_password USING 'invalid' OR unix_socket"])(
    'an account without a password gets none: %s',
    async (identified) => {
      await create(`IDENTIFIED ${identified}`);
      const before = await definition();
      for (const evenIfBlocked of [false, true])
        expect(await rotate(byAdmin(), { evenIfBlocked })).toMatchObject({
          outcome: 'refused',
          kind: 'not_possible',
          hint: expect.stringContaining('ALTER USER'),
        });
      expect(await definition()).toBe(before);
    },
  );
});

describe('an account that cannot log in stays as it is, and is changed only after a disclosure', () => {
  test.each<[string, string, string, string]>([
    ['locked', 'IDENTIFIED BY %p ACCOUNT LOCK', '%', 'ACCOUNT UNLOCK'],
    [
      'locked, with alternatives',
      'IDENTIFIED VIA unix_socket OR ed25519 USING PASSWORD(%p) ACCOUNT LOCK',
      '%',
      'ACCOUNT UNLOCK',
    ],
    ['expired', 'IDENTIFIED BY %p PASSWORD EXPIRE', '%', 'PASSWORD EXPIRE NEVER'],
    ['of another host', 'IDENTIFIED BY %p', '10.%', 'RENAME USER'],
    ['of another network', 'IDENTIFIED BY %p', '10.0.0.0/255.0.0.0', 'RENAME USER'],
    ['with TLS only', 'IDENTIFIED BY %p REQUIRE SSL', '%', 'Set tls'],
    ['with a cipher only', "IDENTIFIED BY %p REQUIRE CIPHER 'TLS_AES_256_GCM_SHA384'", '%', 'Set tls'],
    ['with a certificate only', 'IDENTIFIED BY %p REQUIRE X509', '%', 'REQUIRE SSL'],
    ['without connections', 'IDENTIFIED BY %p WITH MAX_USER_CONNECTIONS -1', '%', 'MAX_USER_CONNECTIONS 0'],
  ])('%s', async (_what, rest, host, hint) => {
    await create(rest, host);
    const before = await definition(host);
    expect(await rotate(byAdmin())).toMatchObject({
      outcome: 'refused',
      kind: 'not_possible',
      hint: expect.stringContaining(hint),
    });
    expect(await definition(host)).toBe(before);
    expect(await rotate(byAdmin(), { evenIfBlocked: true })).toMatchObject({
      outcome: 'applied',
      blocked: { reason: expect.any(String), hint: expect.stringContaining(hint) },
    });
    const former = before
      .replace(nativePasswordHash(current), 'NATIVE')
      .replace(ed25519Hash(current), 'ED25519');
    expect(former).toMatch(/NATIVE|ED25519/);
    expect(`${await shape(next, host)}`).toBe(former.replace(/^CREATE USER `\w+`@`[^`]*` /, ''));
    expect(server.generalLog()).not.toContain(next.slice(5));
  });

  test('a login that the server maps to another account of the same name', async () => {
    await create('IDENTIFIED BY %p');
    await create('IDENTIFIED BY %p', '127.0.0.1');
    expect(await rotate(byAdmin({ accountHost: '%' }))).toMatchObject({
      kind: 'not_possible',
      hint: expect.stringContaining("accountHost to '127.0.0.1'"),
    });
    expect(await rotate(byAdmin({ accountHost: '127.0.0.1' }))).toEqual({ outcome: 'applied' });
    expect(await verify(next)).toEqual({ outcome: 'accepted' });
  });

  test('a role', async () => {
    await server.sql(`CREATE ROLE ${username}`);
    expect(await rotate(byAdmin())).toMatchObject({
      kind: 'not_possible',
      reason: expect.stringContaining('role'),
    });
  });
});

describe('an expired password is changed by the account itself', () => {
  test.each([
    ['BY %p', "BY PASSWORD 'NATIVE'", 0],
    ['BY %p', "BY PASSWORD 'NATIVE'", 1],
    ['VIA ed25519 USING PASSWORD(%p)', "VIA ed25519 USING 'ED25519'", 1],
  ])('%s: %s, with disconnect_on_expired_password = %i', async (identified, expected, disconnects) => {
    await create(`IDENTIFIED ${identified} PASSWORD EXPIRE`);
    await server.sql(`SET GLOBAL disconnect_on_expired_password = ${disconnects}`);
    try {
      expect(await verify(current)).toMatchObject({ outcome: 'unknown', kind: 'not_possible' });
      expect(await rotate(self(), { current: 'wrong' })).toMatchObject({ kind: 'authentication' });
      expect(await rotate(self())).toEqual({ outcome: 'applied' });
    } finally {
      await server.sql('SET GLOBAL disconnect_on_expired_password = DEFAULT');
    }
    expect(await shape(next)).toBe(`IDENTIFIED ${expected}`);
    expect(await verify(next)).toEqual({ outcome: 'accepted' });
    expect(server.generalLog()).not.toContain(next.slice(5));
  });

  test('but not if the login is mapped to another account', async () => {
    await server.sql("CREATE USER ''@'%' IDENTIFIED BY 'any-7' PASSWORD EXPIRE");
    try {
      expect(await rotate(self(), { current: 'any-7' })).toMatchObject({
        outcome: 'refused',
        reason: expect.stringContaining('another account'),
      });
    } finally {
      await server.sql("DROP USER ''@'%'");
    }
  });
});

describe('each refusal of a login has its kind and a hint', () => {
  const answer = async (secret = current) => {
    const verified = await verify(secret);
    return verified.outcome === 'unknown' ? verified : { ...verified, kind: undefined };
  };

  const hold = () =>
    createConnection({ host: '127.0.0.1', port: server.port, user: username, password: current });

  test('limits: not now', async () => {
    await create('IDENTIFIED BY %p WITH MAX_CONNECTIONS_PER_HOUR 1');
    expect(await verify(current)).toEqual({ outcome: 'accepted' });
    expect(await answer()).toMatchObject({ kind: 'not_now', hint: expect.stringContaining('MAX_') });
    expect(await rotate(self())).toMatchObject({ outcome: 'refused', kind: 'not_now' });
    await server.sql(`ALTER USER ${username} WITH MAX_CONNECTIONS_PER_HOUR 0 MAX_QUERIES_PER_HOUR 3`);
    expect(await rotate(self())).toMatchObject({ outcome: 'refused', kind: 'not_now' });
    expect(await verify('wrong')).toMatchObject({ outcome: 'refused' });
  });

  test('a server or an account without a free connection: not now', async () => {
    await create('IDENTIFIED BY %p WITH MAX_USER_CONNECTIONS 1');
    const held = [await hold()];
    expect(await answer()).toMatchObject({ kind: 'not_now', reason: expect.stringContaining('1226') });
    await server.sql(`ALTER USER ${username} WITH MAX_USER_CONNECTIONS 0`);
    await server.sql('SET GLOBAL max_connections = 10');
    try {
      while (held.length < 10) held.push(await hold());
      expect(await answer()).toMatchObject({
        kind: 'not_now',
        reason: expect.stringContaining('1040'),
        hint: expect.stringContaining('max_connections'),
      });
    } finally {
      await server.sql('SET GLOBAL max_connections = 60');
      for (const connection of held) connection.destroy();
    }
  });

  test('too many wrong passwords: not possible, and a rotation by an administrator does not end the block', async () => {
    await create('IDENTIFIED BY %p');
    await server.sql('SET GLOBAL max_password_errors = 1');
    try {
      expect(await verify('wrong')).toMatchObject({ outcome: 'refused' });
      const blocked = { kind: 'not_possible', hint: expect.stringContaining('FLUSH PRIVILEGES') };
      expect(await answer()).toMatchObject(blocked);
      expect(await rotate(byAdmin())).toEqual({ outcome: 'applied' });
      expect(await answer(next)).toMatchObject(blocked);
    } finally {
      await server.sql('SET GLOBAL max_password_errors = DEFAULT');
    }
  });

  test('an account without a password is reported', async () => {
    await create('IDENTIFIED VIA unix_socket');
    expect(await verify(current)).toMatchObject({
      outcome: 'refused',
      hint: expect.stringContaining('one without a password'),
    });
  });

  test('a failing init_connect: permission', async () => {
    await create('IDENTIFIED BY %p');
    await server.sql("SET GLOBAL init_connect = 'SELECT nothing'");
    try {
      expect(await answer()).toMatchObject({
        kind: 'permission',
        hint: expect.stringContaining('init_connect'),
      });
    } finally {
      await server.sql("SET GLOBAL init_connect = ''");
    }
  });

  test('an error that the server gives for a wrong password names the possible causes', async () => {
    await create('IDENTIFIED BY %p', '10.%');
    expect(await verify(current)).toMatchObject({
      outcome: 'refused',
      hint: expect.stringContaining(`WHERE User = '${username}'`),
    });
  });
});

describe("under the server's password policy", () => {
  beforeAll(async () => {
    await server.sql("INSTALL SONAME 'simple_password_check'");
    await server.sql("INSTALL SONAME 'password_reuse_check'");
  });
  afterAll(async () => {
    await server.sql("UNINSTALL SONAME 'password_reuse_check'");
    await server.sql("UNINSTALL SONAME 'simple_password_check'");
  });

  test.each([
    'BY %p',
    'VIA ed25519 USING PASSWORD(%p)',
    'VIA unix_socket OR mysql_native_password USING PASSWORD(%p)',
  ])(
    'a password that it refuses: policy; one that was used: policy; another is set: %s',
    async (identified) => {
      await create(`IDENTIFIED ${identified}`);
      for (const config of [self(), byAdmin()]) {
        expect(await rotate(config, { next: 'short' })).toMatchObject({ outcome: 'refused', kind: 'policy' });
        expect(await rotate(config, { next: current })).toMatchObject({ outcome: 'refused', kind: 'policy' });
        expect(await rotate(config)).toEqual({ outcome: 'applied' });
        expect(await verify(next)).toEqual({ outcome: 'accepted' });
        [current, next] = [next, newPassword()];
      }
    },
  );
});
