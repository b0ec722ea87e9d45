import type { PeerCertificate } from 'node:tls';

/** The services that may appear on either side of an internal connection. */
const SERVICES = ['gateway', 'auth', 'vault', 'workflow', 'audit', 'operator'];

/**
 * The service named by a peer certificate. Its only subject alternative name must be the URI of one of our
 * services, compared byte for byte. Common names are ignored.
 */
export function serviceOf(certificate: PeerCertificate | undefined, environment: string): string | undefined {
  const names = certificate?.subjectaltname;
  return SERVICES.find((service) => names === `URI:spiffe://claviger/${environment}/svc/${service}`);
}

/** What the log and the audit event record of a refused certificate. Its holder chose the names. */
export function describeCertificate(certificate: PeerCertificate | undefined): {
  readonly fingerprint: string;
  readonly names: string;
} {
  return {
    fingerprint: certificate?.fingerprint256?.replaceAll(':', '').toLowerCase() ?? 'none',
    names: certificate?.subjectaltname ?? '',
  };
}
