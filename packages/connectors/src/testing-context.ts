import { targetPolicy } from '@claviger/outbound';
import type { ConnectorContext } from './connector.ts';

/** For tests: a context that may reach loopback. */
export function loopbackContext(overrides: Partial<ConnectorContext> = {}): ConnectorContext {
  return {
    signal: new AbortController().signal,
    connectTimeoutMs: 5_000,
    operationTimeoutMs: 30_000,
    allow: targetPolicy({ cidrs: ['127.0.0.0/8'], ports: [{ from: 1024, to: 65535 }] }),
    ...overrides,
  };
}
