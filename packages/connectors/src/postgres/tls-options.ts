import type { ConnectionOptions } from 'node:tls';
import { tlsOptions as optionsFor } from '@claviger/outbound';
import { assertMayBePlain, trustOf } from '../network/tls.ts';
import type { PostgresConfig } from './config.ts';

/**
 * TLS options for the checked `address`, or false for a plain connection. Throws ConnectorError (`configuration`) when a plain
 * connection would leave the private network.
 */
export function tlsOptions({ tls, host }: PostgresConfig, address: string): ConnectionOptions | false {
  const trust = trustOf(tls);
  if (trust !== undefined) return optionsFor(trust, host);
  assertMayBePlain(address, 'private');
  return false;
}
