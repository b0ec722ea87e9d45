import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Whether nothing listens on 127.0.0.1:`port` now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Ports are chosen below the range for outgoing connections (32768 and up): otherwise a client on the machine
 * could get the port between the check and the use.
 */
const wholeRange = { lowest: 18_000, end: 32_000 };

/**
 * `CLAVIGER_PORT_RANGE`, e.g. `18000-19999`, narrows the range: installations that start at the same time on
 * one machine then never choose the same port, nor one to which another of them will return.
 */
function portRange(): { lowest: number; end: number } {
  const range = process.env.CLAVIGER_PORT_RANGE;
  if (range === undefined || range === '') return wholeRange;
  const [lowest = 0, highest = 0] = (/^(\d+)-(\d+)$/.exec(range)?.slice(1) ?? []).map(Number);
  if (lowest < 1024 || highest > 65_535 || lowest > highest)
    throw new Error(`CLAVIGER_PORT_RANGE is "${range}": it must be two ports from 1024 on, e.g. 18000-19999`);
  return { lowest, end: highest + 1 };
}

/**
 * Returns `count` distinct TCP ports on 127.0.0.1 that are free now. Another process may take one before it
 * is used: listeners must handle that, and clients must verify the server.
 */
export async function freePorts(count: number): Promise<number[]> {
  const { lowest, end } = portRange();
  const ports = new Set<number>();
  for (let attempt = 0; attempt < 1_000 + count && ports.size < count; attempt++) {
    const port = randomInt(lowest, end);
    if (!ports.has(port) && (await isPortFree(port))) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no ${count} free ports between ${lowest} and ${end - 1}`);
  return [...ports];
}

/** Returns one free TCP port on 127.0.0.1; `preferred` if it is free. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  const [port] = await freePorts(1);
  return port!;
}
