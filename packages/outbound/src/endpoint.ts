import { isIP } from 'node:net';
import { canonicalHost } from './host-name.ts';

/** An address and a range of ports, of a server or of a target. */
export interface Endpoint {
  /** A canonical host name or IP address. */
  readonly host: string;
  readonly from: number;
  readonly to: number;
}

/** Parses `HOST:PORT` or `[IPv6]:PORT`; returns undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const [, ipv6, name, digits] = parts ?? [];
  const host = canonicalHost(ipv6 ?? name ?? '');
  const port = Number(digits);
  if (host === undefined || (ipv6 !== undefined) !== (isIP(host) === 6)) return undefined;
  return port >= 1 && port <= 65_535 ? { host, from: port, to: port } : undefined;
}
