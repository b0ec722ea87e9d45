import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CertificateAuthority,
  ensureEd25519KeyFiles,
  ensureEdgeCertificate,
  ensureSecretFile,
  ensureServiceCertificate,
  issueServiceCertificate,
  openCertificateAuthority,
  serviceUri,
} from './index.ts';

let folder: string;
let authority: CertificateAuthority;
const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
const leaf = (name: string) => ({ certFile: file(`${name}.crt`), keyFile: file(`${name}.key`) });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-identity-'));
  authority = await openCertificateAuthority(folder, 'internal-ca', 'Claviger internal CA');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('openssl accepts a service certificate for both sides and sees exactly one name', async () => {
  await ensureServiceCertificate(authority, 'test', 'vault', leaf('vault'));
  for (const purpose of ['sslserver', 'sslclient']) {
    const verdict = openssl(
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      '-CAfile',
      file('internal-ca.crt'),
      file('vault.crt'),
    );
    expect(verdict).toContain('OK');
  }
  const names = openssl('x509', '-in', file('vault.crt'), '-noout', '-ext', 'subjectAltName');
  expect(names.trim().split('\n').at(-1)?.trim()).toBe('URI:spiffe://claviger/test/svc/vault');
  expect(openssl('x509', '-in', file('vault.crt'), '-noout', '-text')).toContain('ecdsa-with-SHA256');
});

test('a leaf cannot sign, and cannot pass as another authority’s', async () => {
  const other = await openCertificateAuthority(folder, 'other-ca', 'Other CA');
  writeFileSync(file('foreign.crt'), (await issueServiceCertificate(other, 'test', 'vault')).certificatePem);
  expect(() => openssl('verify', '-CAfile', file('internal-ca.crt'), file('foreign.crt'))).toThrow();
  expect(openssl('x509', '-in', file('vault.crt'), '-noout', '-ext', 'basicConstraints')).toContain(
    'CA:FALSE',
  );
});

test('the public certificate names hosts and addresses, serves only, and is no service', async () => {
  const hosts = ['localhost', '127.0.0.1', '::1'];
  expect(await ensureEdgeCertificate(authority, hosts, leaf('edge'))).toBe(true);
  expect(await ensureEdgeCertificate(authority, hosts, leaf('edge'))).toBe(false);
  expect(await ensureEdgeCertificate(authority, [...hosts, 'pam.example'], leaf('edge'))).toBe(true);
  const names = openssl('x509', '-in', file('edge.crt'), '-noout', '-ext', 'subjectAltName');
  expect(names).toContain('DNS:localhost, IP Address:127.0.0.1');
  expect(names).not.toContain('URI:');
  const asClient = ['verify', '-purpose', 'sslclient', '-CAfile', file('internal-ca.crt'), file('edge.crt')];
  expect(() => openssl(...asClient)).toThrow();
});

test('a fresh certificate stays; one past half of its life, or of another environment, is replaced', async () => {
  expect(await ensureServiceCertificate(authority, 'test', 'vault', leaf('vault'))).toBe(false);
  expect(await ensureServiceCertificate(authority, 'production', 'vault', leaf('vault'))).toBe(true);
  // Backdated by five minutes, so of this life more than half is over.
  const old = await issueServiceCertificate(authority, 'test', 'vault', 60);
  writeFileSync(file('vault.crt'), old.certificatePem);
  writeFileSync(file('vault.key'), old.privateKeyPem);
  expect(await ensureServiceCertificate(authority, 'test', 'vault', leaf('vault'))).toBe(true);
});

test('private halves are readable by their owner only', () => {
  for (const name of ['internal-ca.key', 'vault.key', 'edge.key']) {
    expect(statSync(file(name)).mode & 0o777).toBe(0o600);
  }
});

test('the authority survives a restart and refuses to be replaced by half', async () => {
  const again = await openCertificateAuthority(folder, 'internal-ca', 'Claviger internal CA');
  expect(again.certificatePem).toBe(authority.certificatePem);
  await openCertificateAuthority(folder, 'half', 'Half');
  rmSync(file('half.key'));
  await expect(openCertificateAuthority(folder, 'half', 'Half')).rejects.toThrow(/half\.key is missing/);
});

test('secret and key files are never overwritten, also by twenty at once', async () => {
  await Promise.all(Array.from({ length: 20 }, () => ensureSecretFile(file('pepper'))));
  const pepper = readFileSync(file('pepper'), 'utf8');
  expect(pepper).toMatch(/^[0-9a-f]{64}\n$/);
  await ensureSecretFile(file('pepper'));
  expect(readFileSync(file('pepper'), 'utf8')).toBe(pepper);

  await ensureEd25519KeyFiles(file('token.pem'), file('token.pub.pem'));
  const key = readFileSync(file('token.pem'), 'utf8');
  await ensureEd25519KeyFiles(file('token.pem'), file('token.pub.pem'));
  expect(readFileSync(file('token.pem'), 'utf8')).toBe(key);
  expect(openssl('pkey', '-in', file('token.pem'), '-pubout')).toBe(
    readFileSync(file('token.pub.pem'), 'utf8'),
  );
  expect(statSync(file('token.pem')).mode & 0o777).toBe(0o600);
});

test('a name that would change the identity is refused', () => {
  expect(() => serviceUri('test', 'vault/../audit')).toThrow();
  expect(() => serviceUri('Test', 'vault')).toThrow();
});
