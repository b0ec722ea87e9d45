import type { PeerCertificate } from 'node:tls';

/** Who may appear on either side of an internal connection. */
const SERVICES = ['gateway', 'auth', 'vault', 'workflow', 'audit', 'operator'];

/**
 * The service named by a peer certificate. Its subject alternative names must be exactly one, the URI of one of our services,
 * compared byte for byte: a second name of any kind, a name in other letters, and common names say nothing.
 */
export function serviceOf(certificate: PeerCertificate | undefined, environment: string): string | undefined {
  const names = certificate?.subjectaltname;
  return SERVICES.find((service) => names === `URI:spiffe://claviger/${environment}/svc/${service}`);
}

/** What the log and the audit event tell of a certificate that was refused. Its holder chose these texts. */
export function describeCertificate(certificate: PeerCertificate | undefined): {
  readonly fingerprint: string;
  readonly names: string;
} {
  return {
    fingerprint: certificate?.fingerprint256?.replaceAll(':', '').toLowerCase() ?? 'none',
    names: certificate?.subjectaltname ?? '',
  };
}
