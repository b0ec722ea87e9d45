import { expect, test } from 'vitest';
import { accountKey } from './account-key.ts';

const tls = { mode: 'disable' };
const key = (type: string, settings: object, username: string) => {
  const found = accountKey(
    type,
    { host: 'db.example', ...(type === 'ssh' ? {} : { tls }), ...settings },
    username,
  );
  return found && `${found.target} ${found.account}`;
};

test('all spellings of the host and port of a target give the same key', () => {
  const postgres = key('postgres', {}, 'app');
  for (const settings of [
    { host: 'DB.Example' },
    { port: 5432 },
    { database: 'other' },
    { rotateAs: 'admin' },
  ])
    expect(key('postgres', settings, 'app')).toBe(postgres);
  for (const settings of [{ host: 'db2.example' }, { port: 5433 }])
    expect(key('postgres', settings, 'app')).not.toBe(postgres);
  expect(key('mysql', {}, 'app')).not.toBe(postgres);
  const hosts = (...names: string[]) => new Set(names.map((host) => key('ssh', { host }, 'root')));
  expect(hosts('2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:0db8::0001').size).toBe(1);
  expect(hosts('10.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1').size).toBe(1);
  expect(hosts('localhost', '127.0.0.1', '::1', '::ffff:127.0.0.1').size).toBe(1);
});

test('spellings of an account give the same key by the rules of the connector', () => {
  expect(key('postgres', {}, 'App')).not.toBe(key('postgres', {}, 'app'));
  expect(key('ssh', {}, 'Root')).not.toBe(key('ssh', {}, 'root'));
  expect(key('mysql', {}, 'App')).not.toBe(key('mysql', {}, 'app'));
  // `accountHost` selects the account that an administrator changes; a login has only the name.
  expect(key('mysql', { accountHost: '10.%' }, 'app')).toBe(key('mysql', {}, 'app'));
  expect(key('mysql', {}, 'app  ')).toBe(key('mysql', {}, 'app'));
  expect(key('postgres', {}, '')).toBeUndefined();
  expect(accountKey('none', { host: 'h' }, 'app')).toBeUndefined();
  expect(accountKey('postgres', { host: '' }, 'app')).toBeUndefined();
});

test('an account of a directory has one key, by name and by distinguished name, on each port of the directory', () => {
  const template = { userDn: 'uid={username},ou=people,dc=example' };
  const ann = key('ldap', template, 'ann');
  for (const name of [
    'ANN',
    ' ann ',
    'ａｎｎ',
    'uid=ann,ou=people,dc=example',
    'UID = Ann , OU=People,DC=Example',
    'uid=\\61nn,ou=people,dc=example',
    'uid=\\ann,ou=people,dc=example',
    '0.9.2342.19200300.100.1.1=ann,organizationalUnitName=people,dc=example',
    'uid=#0403616e6e,ou=people,dc=example',
  ]) {
    expect(key('ldap', template, name), name).toBe(ann);
  }
  expect(key('ldap', template, 'anne')).not.toBe(ann);
  for (const settings of [{ port: 389 }, { port: 636 }, { startTls: false }, { port: 3268 }])
    expect(key('ldap', { ...template, ...settings }, 'ann')).toBe(ann);
  expect(key('ldap', { ...template, port: 1389 }, 'ann')).not.toBe(ann);
  expect(key('ldap', {}, 'cn=a+uid=b,dc=x')).toBe(key('ldap', {}, 'UID=B+CN=A,dc=x'));
  expect(key('ldap', {}, 'cn=\\C3\\9Cl,dc=x')).toBe(key('ldap', {}, 'cn=ül,dc=x'));
  const directory = {
    loginName: '{username}@corp.example',
    baseDn: 'dc=corp,dc=example',
    passwordChange: 'unicodePwd',
    tls: { mode: 'system' },
  };
  const plain = { ...directory, loginName: '{username}' };
  const bob = key('ldap', directory, 'bob');
  for (const name of ['Bob', 'bob@corp.example', 'CORP\\bob']) expect(key('ldap', plain, name)).toBe(bob);
  for (const name of ['Bob', 'bob@corp.example', 'CORP\\bob']) expect(key('ldap', directory, name)).toBe(bob);
  // In other directories, the part after the @ distinguishes accounts.
  const mail = { ...plain, passwordChange: 'exop' };
  expect(key('ldap', mail, 'bob@a.example')).not.toBe(key('ldap', mail, 'bob@b.example'));
});
