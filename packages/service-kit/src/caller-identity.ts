import type { PeerCertificate } from 'node:tls';

const SPIFFE = /^spiffe:\/\/claviger\/([a-z]+)\/svc\/([a-z]+)$/;

/**
 * The service named by a peer certificate: exactly one URI SAN of our form, compared byte for byte. Common names are
 * ignored. Undefined when the certificate names none, or more than one.
 */
export function serviceOf(certificate: PeerCertificate | undefined, environment: string): string | undefined {
  const names = (certificate?.subjectaltname ?? '').split(', ').filter((name) => name.startsWith('URI:'));
  if (names.length !== 1) return undefined;
  const match = SPIFFE.exec(names[0]!.slice('URI:'.length));
  return match && match[1] === environment ? match[2] : undefined;
}
