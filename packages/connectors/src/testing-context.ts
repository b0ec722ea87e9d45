import { setTimeout as pause } from 'node:timers/promises';
import { targetPolicy } from '@claviger/outbound';
import type { ConnectorContext } from './connector.ts';

/** Same as `openLoopback` of `@claviger/targets`. */
const openLoopback = {
  ownServers: [],
  openTargets: ['127.0.0.1', '::1'].map((host) => ({ host, from: 1, to: 65_535 })),
};

/**
 * For tests: a context that may connect to loopback. The time-outs are generous; tests of time-outs set their
 * own.
 */
export function loopbackContext(overrides: Partial<ConnectorContext> = {}): ConnectorContext {
  return {
    signal: new AbortController().signal,
    connectTimeoutMs: 60_000,
    operationTimeoutMs: 120_000,
    allow: targetPolicy({ cidrs: ['127.0.0.0/8'], ports: [{ from: 1024, to: 65535 }] }, openLoopback),
    ...overrides,
  };
}

/**
 * For tests: runs an operation, and aborts it as soon as `isLost` returns true, which means that the change
 * was made and its answer was lost.
 */
export async function givingUpWhen<T>(
  isLost: () => boolean | Promise<boolean>,
  operation: (ctx: ConnectorContext) => Promise<T>,
): Promise<T> {
  const caller = new AbortController();
  let isOver = false;
  const running = operation(loopbackContext({ signal: caller.signal })).finally(() => {
    isOver = true;
  });
  while (!isOver && !(await isLost())) await pause(10);
  caller.abort();
  return running;
}
