import { readFileSync } from 'node:fs';
import type { Network, TestTenant } from '@claviger/testkit';
import autocannon from 'autocannon';

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and broken connections. */
  readonly errors: number;
}

/** Retrieves one entry over keep-alive TLS connections, each waiting for its answer before the next request. */
export async function auditedRetrieve(
  network: Network,
  tenant: TestTenant,
  entryId: string,
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  const token = await tenant.signIn(tenant.admin.username, tenant.admin.password);
  const result = await autocannon({
    url: `${network.access.urls[0]!}/api/v1/vault/entries/${entryId}/retrieve`,
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'bench' }),
    connections,
    duration: seconds,
    tlsOptions: { ca: readFileSync(network.access.caCertificate) },
  } as autocannon.Options);
  return {
    perSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errors: result.non2xx + result.errors,
  };
}
