import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { writeAtomically } from './write-atomically.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 24 * 60 * 60 * 1000;
/** Clocks differ, so certificates are valid from shortly before they are issued. */
const backdateMs = 5 * 60 * 1000;

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

/** One self-signed root, with the key to issue leaves. */
export interface CertificateAuthority {
  readonly certificatePem: string;
  readonly certificateFile: string;
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

/** A certificate and its private key, both PEM. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly notAfter: Date;
}

/** Positive, 127 random bits (RFC 5280 4.1.2.2: at most 20 octets). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** `Name` values are joined into a distinguished name, so only safe characters are allowed. */
function commonName(text: string): string {
  if (!/^[A-Za-z0-9 ._-]{1,64}$/.test(text)) throw new Error(`not a valid name for a certificate: "${text}"`);
  return `CN=${text}`;
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
}

/**
 * Opens the authority `<folder>/<name>.crt` and `.key`, or creates it (P-256, ten years) if neither exists.
 * If only one exists, throws: a new root would break the trust of everyone who has the former one.
 */
export async function openCertificateAuthority(
  folder: string,
  name: string,
  title: string,
): Promise<CertificateAuthority> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const certificateFile = join(folder, `${name}.crt`);
  const keyFile = join(folder, `${name}.key`);
  const [certificatePem, keyPem] = await Promise.all(
    [certificateFile, keyFile].map((file) =>
      readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    ),
  );
  if (certificatePem === undefined && keyPem === undefined) {
    await createAuthority(certificateFile, keyFile, title);
    return openCertificateAuthority(folder, name, title);
  }
  if (certificatePem === undefined || keyPem === undefined) {
    throw new Error(
      `${certificatePem === undefined ? certificateFile : keyFile} is missing although its other half is there: restore it from a backup`,
    );
  }
  const privateKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(keyPem),
    algorithm,
    false,
    ['sign'],
  );
  const certificate = new x509.X509Certificate(certificatePem);
  return { certificatePem, certificateFile, certificate, privateKey };
}

async function createAuthority(certificateFile: string, keyFile: string, title: string): Promise<void> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: commonName(title),
    notBefore: new Date(Date.now() - backdateMs),
    notAfter: new Date(Date.now() + 3650 * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  // The key first: a certificate without its key would be trusted and useless.
  await writeAtomically(keyFile, await exportPrivateKey(keys.privateKey));
  await writeAtomically(certificateFile, `${certificate.toString('pem')}\n`, 0o644);
}

/** Issues a P-256 leaf with a new key. Exactly `names` become its subject alternative names. */
export async function issueLeaf(
  authority: CertificateAuthority,
  options: {
    readonly commonName: string;
    readonly names: x509.JsonGeneralNames;
    readonly usages: readonly ('server' | 'client')[];
    readonly ttlSeconds: number;
  },
): Promise<IssuedCertificate> {
  const keys = await generateKeys();
  const notAfter = new Date(Date.now() + options.ttlSeconds * 1000);
  const oids = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: commonName(options.commonName),
    issuer: authority.certificate.subject,
    notBefore: new Date(Date.now() - backdateMs),
    notAfter,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(options.usages.map((usage) => oids[usage])),
      new x509.SubjectAlternativeNameExtension(options.names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    privateKeyPem: await exportPrivateKey(keys.privateKey),
    notAfter,
  };
}
