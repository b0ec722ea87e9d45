import { EqualityFilter } from 'ldapts';
import { expect, test } from 'vitest';
import { connectorFor } from '../registry.ts';
import { loopbackContext } from '../testing-context.ts';
import { bindFailure } from './bind-failure.ts';
import { changeRefusal } from './change-refusal.ts';
import { ldapConfigSchema } from './config.ts';
import { escapeDnValue, isSameDn } from './distinguished-name.ts';
import { accountDn, bindName } from './names.ts';
import { passwordModifyValue, unicodePassword, unicodePwdChanges } from './password-change.ts';

const config = (more: object = {}) =>
  ldapConfigSchema.parse({ host: 'h', tls: { mode: 'disable' }, ...more });
const withTemplate = config({ userDn: 'uid={username},ou=people,dc=example' });

test('H-245 any user name stays one value of the distinguished name', () => {
  expect(accountDn(withTemplate, 'alice')).toBe('uid=alice,ou=people,dc=example');
  expect(accountDn(withTemplate, 'x,ou=admins')).toBe('uid=x\\,ou\\=admins,ou=people,dc=example');
  expect(escapeDnValue(' #,+"\\<>;= ')).toBe('\\ \\#\\,\\+\\"\\\\\\<\\>\\;\\=\\ ');
  expect(accountDn(withTemplate, '$&$1')).toBe('uid=$&$1,ou=people,dc=example');
  for (const name of ['', 'a\0b', 'a\nb'])
    expect(() => accountDn(withTemplate, name)).toThrow(expect.objectContaining({ kind: 'configuration' }));
});

test('without a template a user name must be a distinguished name; an administrator may always have one', () => {
  expect(accountDn(config(), 'cn=a,dc=b')).toBe('cn=a,dc=b');
  expect(() => accountDn(config(), 'PLAIN')).toThrow(expect.objectContaining({ kind: 'configuration' }));
  expect(bindName(withTemplate, 'cn=admin,dc=example', true)).toBe('cn=admin,dc=example');
  expect(bindName(withTemplate, 'cn=admin,dc=example', false)).toContain('cn\\=admin');
  const ad = config({ loginName: '{username}@corp.example', baseDn: 'dc=corp,dc=example' });
  expect(bindName(ad, 'alice', false)).toBe('alice@corp.example');
});

test('H-245 a name in a filter is sent as a value: characters with a meaning in filters are escaped', () => {
  const filter = new EqualityFilter({ attribute: 'uid', value: '*)(uid=*\0' });
  expect(filter.toString()).toBe('(uid=\\2a\\29\\28uid=\\2a\\00)');
});

test('spellings of one distinguished name are equal', () => {
  expect(isSameDn('UID=a, OU = People,DC=x', 'uid=a,ou=people,dc=x')).toBe(true);
  expect(isSameDn('uid=A\\2C\\2b\\C3\\BCb,dc=x', 'uid=a\\,\\+üb,dc=x')).toBe(true);
  expect(isSameDn('uid=a\\,dc=x', 'uid=a,dc=x')).toBe(false);
  expect(isSameDn('uid=a,dc=x', 'uid=b,dc=x')).toBe(false);
});

test('a password modify request has the account, the current password and the new one (RFC 3062)', () => {
  expect(passwordModifyValue('cn=a', 'old', 'new').toString('hex')).toBe(
    `30${'10'}8004${Buffer.from('cn=a').toString('hex')}8103${Buffer.from('old').toString('hex')}8203${Buffer.from('new').toString('hex')}`,
  );
  expect(passwordModifyValue('cn=a', undefined, 'new')).toHaveLength(13);
});

test('a password for Active Directory is quoted and encoded as UTF-16, little-endian', () => {
  expect(unicodePassword('a"b').toString('hex')).toBe('22006100220062002200');
  const shape = (current: string | undefined) =>
    unicodePwdChanges(current, 'next').map(({ operation, modification }) => [
      operation,
      modification.type,
      modification.values.map((value) => Buffer.from(value).toString('utf16le')),
    ]);
  expect(shape('old')).toEqual([
    ['delete', 'unicodePwd', ['"old"']],
    ['add', 'unicodePwd', ['"next"']],
  ]);
  expect(shape(undefined)).toEqual([['replace', 'unicodePwd', ['"next"']]]);
});

test('settings that contradict each other are refused, and the error names the field', () => {
  const pathOf = (more: object) =>
    ldapConfigSchema
      .safeParse({ host: 'h', tls: { mode: 'disable' }, ...more })
      .error?.issues[0]?.path.join('.');
  expect(pathOf({ passwordChange: 'unicodePwd' })).toBe('passwordChange');
  expect(pathOf({ startTls: true })).toBe('startTls');
  expect(pathOf({ loginName: '{username}@x' })).toBe('loginName');
  expect(pathOf({ userDn: 'uid=x,dc=y' })).toBe('userDn');
  expect(pathOf({ filter: '(uid=*' })).toBe('filter');
  expect(pathOf({ filter: 'uid=*' })).toBe('filter');
  expect(pathOf({ nameAttribute: 'uid=*)(x' })).toBe('nameAttribute');
  expect(pathOf({ baseDn: 'people' })).toBe('baseDn');
});

test('only a result that excludes a change is a refusal', () => {
  const kindOf = (code: number, message = '', rotateAs: 'self' | 'admin' = 'self') =>
    changeRefusal({ code, message }, { passwordChange: 'exop', rotateAs })?.kind;
  expect(kindOf(19, 'too short')).toBe('policy');
  expect(kindOf(53, '0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM)')).toBe('policy');
  expect(kindOf(53, 'unwilling to verify old password')).toBe('authentication');
  expect(kindOf(19, '00000056: AtrErr: DSID-03191083')).toBe('authentication');
  expect(kindOf(19, '00000005: AtrErr: DSID-03191083')).toBe('permission');
  expect(kindOf(53, '0000001F: SvcErr: DSID-031A12D2')).toBe('permission');
  expect(kindOf(19, 'Password is too young to change')).toBe('not_now');
  expect(kindOf(19, 'within password minimum age')).toBe('not_now');
  expect(kindOf(50)).toBe('permission');
  expect([51, 52].map((code) => kindOf(code))).toEqual(['not_now', 'not_now']);
  expect([3, 11, 80].map((code) => kindOf(code))).toEqual([undefined, undefined, undefined]);
});

test('only some results of a login mean a refused password', () => {
  const kindOf = (code: number, message = '') => bindFailure({ code, message }, []).kind;
  expect(kindOf(49)).toBe('authentication');
  // 389 Directory Server
  expect(kindOf(19, 'Exceed password retry limit. Please try later.')).toBe('not_now');
  expect(kindOf(53, 'Account inactivated. Contact system administrator.')).toBe('not_possible');
  expect([7, 48].map((code) => kindOf(code))).toEqual(['not_possible', 'not_possible']);
  expect([3, 51, 52].map((code) => kindOf(code))).toEqual(['not_now', 'not_now', 'not_now']);
  expect([8, 13].map((code) => kindOf(code))).toEqual(['untrusted', 'untrusted']);
  expect([10, 32].map((code) => kindOf(code))).toEqual(['configuration', 'configuration']);
  expect([1, 14, 80].map((code) => kindOf(code))).toEqual(['protocol', 'protocol', 'protocol']);
});

test('a name that the driver would treat as a SASL mechanism is refused', async () => {
  const settings = {
    host: '127.0.0.1',
    port: 1,
    tls: { mode: 'disable' },
    loginName: '{username}',
    baseDn: 'dc=x',
  };
  expect(
    await connectorFor('ldap').verify(settings, { username: 'PLAIN' }, 'secret', loopbackContext()),
  ).toMatchObject({
    outcome: 'unknown',
    kind: 'configuration',
    hint: expect.stringContaining('name@domain'),
  });
});
