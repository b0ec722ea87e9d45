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

/** Retrieves one entry over keep-alive TLS connections, one request at a time on each. */
export function auditedRetrieve(
  network: Network,
  tenant: TestTenant,
  entryId: string,
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  return loadOf(network, tenant, connections, seconds, {
    method: 'POST',
    path: `/api/v1/vault/entries/${entryId}/retrieve`,
    body: JSON.stringify({ reason: 'bench' }),
  });
}

/** Lists the first page of entries in the same way. */
export function listEntries(
  network: Network,
  tenant: TestTenant,
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  const call = { method: 'GET', path: '/api/v1/vault/entries?pageSize=25' } as const;
  return loadOf(network, tenant, connections, seconds, call);
}

async function loadOf(
  network: Network,
  tenant: TestTenant,
  connections: number,
  seconds: number,
  { method, path, body }: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: string },
): Promise<LoadResult> {
  const token = await tenant.signIn(tenant.admin.username, tenant.admin.password);
  const result = await autocannon({
    url: `${network.access.urls[0]!}${path}`,
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body }),
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
