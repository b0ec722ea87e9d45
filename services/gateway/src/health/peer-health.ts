import * as cluster from '@claviger/contracts/cluster/v1/health';
import { isClavigerError } from '@claviger/errors';
import type { BaseConfig, Peers } from '@claviger/service-kit';

const CALL_TIMEOUT_MS = 3_000;
/** How long a probe gets the remembered answer. Probes are public and must not load the peers. */
const REMEMBER_MS = 1_000;

type PeerName = keyof BaseConfig['peers'];

export interface PeerHealth {
  readonly service: string;
  /** ok | degraded | sealed | restore_unfinished | unavailable */
  readonly status: string;
  readonly node: string;
  readonly version: string;
  readonly checks: readonly cluster.Check[];
}

/** Returns the health of each peer, as answered by one of its replicas and remembered for a second. */
export type PeersHealth = () => Promise<readonly PeerHealth[]>;

export function createPeersHealth(
  config: BaseConfig,
  peers: Peers,
  timeoutMs: number = CALL_TIMEOUT_MS,
): PeersHealth {
  const names = Object.keys(config.peers).filter((name) => config.peers[name as PeerName] !== undefined);
  const ask = names.map((name) => {
    const client = peers.client(name as PeerName, cluster.HealthService);
    return async (): Promise<PeerHealth> => {
      try {
        const answer = await client.getHealth({}, { timeoutMs });
        return { ...answer, service: name };
      } catch (error) {
        const problem = isClavigerError(error) ? error.message : 'is unavailable';
        const check = { name: 'reachable', ok: false, required: true, problem, latencyMs: 0 };
        return { service: name, status: 'unavailable', node: '', version: '', checks: [check] };
      }
    };
  });
  let last: { readonly atMs: number; readonly answer: Promise<readonly PeerHealth[]> } | undefined;
  return () => {
    if (!last || Date.now() - last.atMs > REMEMBER_MS) {
      last = { atMs: Date.now(), answer: Promise.all(ask.map((each) => each())) };
    }
    return last.answer;
  };
}

export function isUsable(peer: PeerHealth): boolean {
  return peer.status === 'ok' || peer.status === 'degraded';
}
