import { X509Certificate } from 'node:crypto';
import type { TlsTrust } from '@claviger/outbound';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { ConnectorError } from '../connector-error.ts';

const certificate = z
  .string()
  .max(65_536)
  .refine((pem) => {
    try {
      return new X509Certificate(pem).raw.length > 0;
    } catch {
      return false;
    }
  }, 'must be a certificate in PEM form');

/** How a target proves its identity. Every mode with TLS checks it. */
export const tlsSchema = z.discriminatedUnion('mode', [
  /** No encryption: allowed for loopback and private addresses only. */
  z.strictObject({ mode: z.literal('disable') }),
  /** The certificate must be issued by this CA and name the configured host. */
  z.strictObject({ mode: z.literal('verify-full'), ca: certificate }),
  /** Like `verify-full`, with the public CAs of Node.js. */
  z.strictObject({ mode: z.literal('system') }),
  /** The server must present exactly this certificate; its name is not checked. */
  z.strictObject({ mode: z.literal('pinned'), certificate }),
]);

export type TlsSettings = z.output<typeof tlsSchema>;

/** Returns undefined for a plain connection. */
export function trustOf(tls: TlsSettings): TlsTrust | undefined {
  if (tls.mode === 'disable') return undefined;
  return tls.mode === 'verify-full' ? { mode: 'ca', ca: tls.ca } : tls;
}

const nearby = {
  private: ['loopback', 'private', 'uniqueLocal'],
  /** For protocols that send the password itself. */
  machine: ['loopback'],
} as const;

/** Throws ConnectorError (`configuration`) if a plain connection may not go to this address. */
export function assertMayBePlain(address: string, reach: keyof typeof nearby): void {
  const range = ipaddr.parse(address).range();
  if (nearby[reach].some((allowed) => allowed === range)) return;
  throw new ConnectorError(
    'configuration',
    reach === 'machine'
      ? 'Unencrypted connections of this kind are allowed to loopback addresses only, because they carry passwords.'
      : 'Unencrypted connections are allowed to loopback and private addresses only.',
    { hint: "Set tls to {mode: 'verify-full', ca} or {mode: 'pinned', certificate}." },
  );
}
