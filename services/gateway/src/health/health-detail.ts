import type * as cluster from '@claviger/contracts/cluster/v1/health';
import type { EmergencyNotice } from './emergency-notice.ts';
import { isUsable, type PeerHealth } from './peer-health.ts';

/** Checks of queued and scheduled work. */
const SCHEDULER_CHECKS = new Set(['redis', 'nats', 'jobs', 'scheduler', 'relay']);

export interface GatewayHealth {
  readonly node: string;
  readonly version: string;
  readonly redis: cluster.Check;
}

/** The answer of GET /system/health/detail. */
export function healthDetail(
  gateway: GatewayHealth,
  peers: readonly PeerHealth[],
  breakglass: EmergencyNotice,
) {
  const vault = peers.find((peer) => peer.service === 'vault');
  const degraded = [
    ...peers.flatMap((peer) => [
      ...(isUsable(peer) ? [] : [peer.service]),
      ...peer.checks.filter((check) => !check.ok).map((check) => `${peer.service}:${check.name}`),
    ]),
    ...(gateway.redis.ok ? [] : ['gateway:redis']),
  ];
  return {
    status: overall(peers, degraded.length > 0),
    version: gateway.version,
    node: gateway.node,
    degraded,
    breakglass,
    database: component(peers, (name) => name === 'database'),
    vault: { status: vault?.status ?? 'unavailable', sealed: vault?.status === 'sealed' },
    scheduler: component(peers, (name) => SCHEDULER_CHECKS.has(name)),
    services: [
      { service: 'gateway', status: gateway.redis.ok ? 'ok' : 'degraded', ...gatewayNode(gateway) },
      ...peers.map(({ service, status, node, version, checks }) => ({
        service,
        status,
        node,
        version,
        checks: checks.map(shown),
      })),
    ],
  };
}

function gatewayNode(gateway: GatewayHealth) {
  return { node: gateway.node, version: gateway.version, checks: [shown(gateway.redis)] };
}

function overall(peers: readonly PeerHealth[], degraded: boolean): string {
  if (peers.some((peer) => peer.status === 'unavailable')) return 'unavailable';
  if (peers.some((peer) => peer.status === 'restore_unfinished')) return 'restore_unfinished';
  if (peers.some((peer) => peer.status === 'sealed')) return 'sealed';
  return degraded ? 'degraded' : 'ok';
}

/** The worst result of one kind of check over all services. */
function component(peers: readonly PeerHealth[], is: (name: string) => boolean) {
  const checks = peers.flatMap((peer) =>
    peer.checks
      .filter((check) => is(check.name))
      .map((check) => ({ service: peer.service, ...shown(check) })),
  );
  const failing = checks.filter((check) => !check.ok);
  const status =
    checks.length === 0
      ? 'unknown'
      : failing.length === 0
        ? 'ok'
        : failing.some((check) => check.required)
          ? 'unavailable'
          : 'degraded';
  return { status, checks };
}

function shown({ name, ok, required, problem, latencyMs }: cluster.Check) {
  return { name, ok, required, ...(problem ? { problem } : {}), latencyMs };
}
