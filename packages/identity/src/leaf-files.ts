import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type CertificateAuthority, type IssuedCertificate, issueLeaf } from './certificate-authority.ts';
import { writeAtomically } from './write-atomically.ts';

/** The files of a leaf. */
export interface LeafFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const serviceTtlSeconds = 24 * 60 * 60;
const edgeTtlSeconds = 90 * 24 * 60 * 60;

/**
 * Returns the only name of a service, e.g. `spiffe://claviger/development/svc/vault`. Compared byte for byte.
 */
export function serviceUri(environment: string, service: string): string {
  for (const part of [environment, service]) {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(part))
      throw new Error(`not usable in a service's identity: "${part}"`);
  }
  return `spiffe://claviger/${environment}/svc/${service}`;
}

/** Issues a service's certificate for mTLS, as server and client: exactly one URI name, 24 hours. */
export function issueServiceCertificate(
  authority: CertificateAuthority,
  environment: string,
  service: string,
  ttlSeconds: number = serviceTtlSeconds,
): Promise<IssuedCertificate> {
  return issueLeaf(authority, {
    commonName: service,
    names: [{ type: 'url', value: serviceUri(environment, service) }],
    usages: ['server', 'client'],
    ttlSeconds,
  });
}

/**
 * Issues the public HTTPS certificate: DNS names and addresses, server only, 90 days. Not trusted between
 * services.
 */
export function issueEdgeCertificate(
  authority: CertificateAuthority,
  hosts: readonly string[],
  ttlSeconds: number = edgeTtlSeconds,
): Promise<IssuedCertificate> {
  return issueLeaf(authority, {
    commonName: 'Claviger',
    names: hosts.map((host) =>
      isIP(host) === 0 ? ({ type: 'dns', value: host } as const) : ({ type: 'ip', value: host } as const),
    ),
    usages: ['server'],
    ttlSeconds,
  });
}

/**
 * Whether the leaf in `files` can still be used: its key matches, `authority` signed it, it has exactly
 * `names` (in Node's notation, e.g. `URI:spiffe://…`), and less than half of its lifetime has passed.
 */
async function isFresh(
  files: LeafFiles,
  authority: CertificateAuthority,
  names: readonly string[],
): Promise<boolean> {
  const texts = await Promise.all(
    [files.certFile, files.keyFile].map((file) =>
      readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    ),
  );
  const [certificatePem, keyPem] = texts;
  if (certificatePem === undefined || keyPem === undefined) return false;
  const certificate = new X509Certificate(certificatePem);
  const root = new X509Certificate(authority.certificatePem);
  const from = certificate.validFromDate.getTime();
  const half = from + (certificate.validToDate.getTime() - from) / 2;
  const carried = (certificate.subjectAltName ?? '').split(', ').sort();
  return (
    Date.now() < half &&
    certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
    certificate.verify(root.publicKey) &&
    carried.join() === [...names].sort().join()
  );
}

/**
 * Issues a service's certificate if it is missing, foreign, or past half of its lifetime. Returns whether it
 * did.
 */
export async function ensureServiceCertificate(
  authority: CertificateAuthority,
  environment: string,
  service: string,
  files: LeafFiles,
): Promise<boolean> {
  if (await isFresh(files, authority, [`URI:${serviceUri(environment, service)}`])) return false;
  await writeLeaf(files, await issueServiceCertificate(authority, environment, service));
  return true;
}

/**
 * Issues the public certificate if it is missing, for other hosts, or past half of its lifetime. Returns
 * whether it did.
 */
export async function ensureEdgeCertificate(
  authority: CertificateAuthority,
  hosts: readonly string[],
  files: LeafFiles,
): Promise<boolean> {
  const names = hosts.map((host) =>
    isIP(host) === 0 ? `DNS:${host}` : `IP Address:${isIP(host) === 6 ? longIPv6(host) : host}`,
  );
  if (await isFresh(files, authority, names)) return false;
  await writeLeaf(files, await issueEdgeCertificate(authority, hosts));
  return true;
}

/** Converts `::1` to Node's notation in certificates: eight groups, upper case, no leading zeros. */
function longIPv6(address: string): string {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...gap, ...right]
    .map((group) => Number.parseInt(group, 16).toString(16).toUpperCase())
    .join(':');
}

/** The two files change one after the other: readers check that key and certificate match, and retry. */
async function writeLeaf(files: LeafFiles, leaf: IssuedCertificate): Promise<void> {
  await writeAtomically(files.keyFile, leaf.privateKeyPem);
  await writeAtomically(files.certFile, leaf.certificatePem, 0o644);
}
