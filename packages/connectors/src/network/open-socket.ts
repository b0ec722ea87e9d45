import { type Lookup, type OpenSocket, openSocket as openVetted } from '@claviger/outbound';
import type { ConnectorContext } from '../connector.ts';
import { asConnectorError } from '../connector-error.ts';

/**
 * Resolves, checks and connects within `connectTimeoutMs`. The socket is destroyed when `signal` aborts, at
 * any time. Throws ConnectorError (`configuration`, `not_allowed`, `unreachable`).
 */
export async function openSocket(
  host: string,
  port: number,
  ctx: Pick<ConnectorContext, 'allow' | 'connectTimeoutMs'>,
  signal: AbortSignal,
  lookup?: Lookup,
): Promise<OpenSocket> {
  try {
    return await openVetted(host, port, ctx, signal, lookup);
  } catch (error) {
    throw asConnectorError(error);
  }
}
