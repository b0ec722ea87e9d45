import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Whether nothing listens on 127.0.0.1:`port` at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Ports are drawn from below the range that systems give to outgoing connections (32768 and up): otherwise any
 * client on the machine could be given the port between the look and the use.
 */
const lowest = 18_000;
const highest = 32_000;

/**
 * `count` distinct TCP ports on 127.0.0.1 that are free now. Another process can still take one before it is
 * used: whoever listens must cope with that, and whoever connects must ask who answered.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; attempt < 1_000 + count && ports.size < count; attempt++) {
    const port = randomInt(lowest, highest);
    if (!ports.has(port) && (await isPortFree(port))) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no ${count} free ports between ${lowest} and ${highest}`);
  return [...ports];
}

/** One free TCP port on 127.0.0.1; `preferred` when that one is free. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  const [port] = await freePorts(1);
  return port!;
}
