import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { plainAddress } from './edge-request.ts';

/** How clients reach this server: its host names and the trusted proxies in front. */
export interface ProxyTrust {
  /** The client's address: the peer, or the right-most X-Forwarded-For entry that is not a trusted proxy. */
  clientAddress(request: IncomingMessage): string;
  /** Whether the peer is a proxy whose X-Forwarded headers are trusted. */
  isProxied(request: IncomingMessage): boolean;
  /** Whether the request names a host of this server. */
  isOurs(request: IncomingMessage): boolean;
}

export interface ProxyTrustOptions {
  readonly publicUrl: string;
  readonly hosts?: readonly string[] | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

export function createProxyTrust({
  publicUrl,
  hosts = [],
  trustedProxies = [],
}: ProxyTrustOptions): ProxyTrust {
  const names = new Set([new URL(publicUrl).host, ...hosts].map(hostnameOf));
  const trusted = new BlockList();
  for (const cidr of trustedProxies) {
    const [address = '', bits] = cidr.split('/');
    trusted.addSubnet(address, Number(bits), familyOf(address));
  }
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, familyOf(address));

  const isOurName = (hostname: string, request: IncomingMessage): boolean => {
    if (names.has(hostname) || hostname === 'localhost') return true;
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(address) === 0) return false;
    // Health probes send the address that they connected to as the host.
    return (
      LOOPBACK.check(address, familyOf(address)) || address === plainAddress(request.socket.localAddress)
    );
  };

  const isProxied: ProxyTrust['isProxied'] = ({ socket }) => isTrusted(plainAddress(socket.remoteAddress));

  return {
    isProxied,
    clientAddress: (request) => {
      let client = plainAddress(request.socket.remoteAddress);
      const header = request.headers['x-forwarded-for'];
      if (typeof header !== 'string' || !isTrusted(client)) return client;
      for (const entry of header.split(',').reverse()) {
        const address = addressIn(entry.trim());
        // Entries to the left of an unreadable one may be forged.
        if (address === undefined) return client;
        client = address;
        if (!isTrusted(client)) return client;
      }
      return client;
    },
    isOurs: (request) => {
      const forwarded = request.headers['x-forwarded-host'];
      const viaProxy = typeof forwarded === 'string' && isProxied(request);
      const host = viaProxy ? forwarded.split(',').at(-1)!.trim() : (request.headers.host ?? '');
      const hostname = hostnameOf(host);
      return hostname !== undefined && isOurName(hostname, request);
    },
  };
}

const HOST = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Lower case, without port and trailing dot; undefined when it is not a plain host. */
function hostnameOf(host: string): string | undefined {
  if (!HOST.test(host)) return undefined;
  return URL.parse(`https://${host}`)?.hostname.replace(/\.$/, '') || undefined;
}

/** Parses an address as proxies write it: bare, with a port, or in brackets. */
function addressIn(entry: string): string | undefined {
  const bare =
    /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.exec(entry)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ?? entry;
  return isIP(bare) === 0 ? undefined : plainAddress(bare);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
