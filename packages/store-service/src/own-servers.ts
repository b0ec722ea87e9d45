import type { StoreConfig } from './store-config.ts';

const OTLP_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** `host:port` of every server that the service's configuration names. */
export function ownServersOf(
  config: Pick<
    StoreConfig,
    'grpc' | 'health' | 'peers' | 'redis' | 'nats' | 'database' | 'telemetry' | 'outbound'
  >,
): string[] {
  const { grpc, health, peers, redis, nats, database, telemetry, outbound } = config;
  const otlp = telemetry.otlpEndpoint;
  const servers = [
    ...outbound.ownServers,
    health.listen,
    ...(grpc.listen === undefined ? [] : [grpc.listen]),
    ...Object.values(peers).flatMap((addresses) => addresses ?? []),
    address(redis.host, redis.port),
    address(database.host, database.port),
    ...nats.url.split(',').map((url) => addressOfUrl(url.includes('://') ? url : `nats://${url}`, '4222')),
    ...(otlp === undefined ? [] : [addressOfUrl(otlp, OTLP_PORTS[new URL(otlp).protocol] ?? '443')]),
  ];
  // Port 0 means any free port, which is unknown here.
  return [...new Set(servers.map(onThisMachine).filter((each) => !each.endsWith(':0')))];
}

function address(host: string, port: number): string {
  const isIpv6 = host.includes(':') && !host.startsWith('[');
  return `${isIpv6 ? `[${host}]` : host}:${port}`;
}

function addressOfUrl(text: string, defaultPort: string): string {
  const { hostname, port } = new URL(text.trim());
  return `${hostname}:${port === '' ? defaultPort : port}`;
}

/** Replaces a wildcard address or a folder of sockets by 127.0.0.1. */
function onThisMachine(server: string): string {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon);
  const isHere = host.startsWith('/') || ['', '*', '0.0.0.0', '[::]', '::', 'localhost'].includes(host);
  return `${isHere ? '127.0.0.1' : host}${server.slice(colon)}`;
}
