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

/** How a target proves who it is. There is no mode that believes anybody. */
export const tlsSchema = z.discriminatedUnion('mode', [
  /** No encryption: for addresses nearby only. */
  z.strictObject({ mode: z.literal('disable') }),
  /** The certificate must come from this CA and carry the configured host. */
  z.strictObject({ mode: z.literal('verify-full'), ca: certificate }),
  /** The same, with the public authorities that Node.js brings along. */
  z.strictObject({ mode: z.literal('system') }),
  /** The server must show exactly this certificate; its name does not matter. */
  z.strictObject({ mode: z.literal('pinned'), certificate }),
]);

export type TlsSettings = z.output<typeof tlsSchema>;

/** Undefined for a plain connection. */
export function trustOf(tls: TlsSettings): TlsTrust | undefined {
  if (tls.mode === 'disable') return undefined;
  return tls.mode === 'verify-full' ? { mode: 'ca', ca: tls.ca } : tls;
}

const nearby = {
  private: ['loopback', 'private', 'uniqueLocal'],
  /** Where a password itself travels, and not only a proof of it. */
  machine: ['loopback'],
} as const;

/** Throws ConnectorError (`configuration`) when a plain connection to this checked address would go too far. */
export function assertMayBePlain(address: string, reach: keyof typeof nearby): void {
  const range = ipaddr.parse(address).range();
  if (nearby[reach].some((allowed) => allowed === range)) return;
  throw new ConnectorError(
    'configuration',
    reach === 'machine'
      ? 'Unencrypted connections of this kind are made to loopback addresses only, since passwords travel in them.'
      : 'Unencrypted connections are made to loopback and private addresses only.',
    { hint: "Set tls to {mode: 'verify-full', ca} or {mode: 'pinned', certificate}." },
  );
}
