import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { ConnectorError } from '../connector-error.ts';
import type { PostgresConfig } from './config.ts';

const unencryptedRanges = new Set<string>(['loopback', 'private', 'uniqueLocal']);

/**
 * TLS options for the checked `address`, or false for a plain connection. Throws ConnectorError (`configuration`) when a plain
 * connection would leave the private network.
 */
export function tlsOptions(config: PostgresConfig, address: string): ConnectionOptions | false {
  const { tls, host } = config;
  if (tls.mode === 'disable') {
    if (unencryptedRanges.has(ipaddr.parse(address).range())) return false;
    throw new ConnectorError(
      'configuration',
      'Unencrypted connections are made to loopback and private addresses only.',
      {
        hint: "Set tls to {mode: 'verify-full', ca} or {mode: 'pinned', certificate}.",
      },
    );
  }
  const named: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  if (tls.mode === 'verify-full')
    return { ...named, ca: tls.ca, checkServerIdentity: (_name, shown) => checkServerIdentity(host, shown) };
  const expected = new X509Certificate(tls.certificate).fingerprint256;
  return {
    ...named,
    ca: tls.certificate,
    // The pinned certificate is the whole trust anchor, even when a CA issued it.
    allowPartialTrustChain: true,
    checkServerIdentity: (_name: string, shown: PeerCertificate) =>
      shown.fingerprint256 === expected ? undefined : new Error('The server shows another certificate.'),
  };
}
