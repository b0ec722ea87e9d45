import * as auth from '@claviger/contracts/auth/v1/auth';
import * as contract from '@claviger/contracts/cluster/v1/restore';
import { baseConfigSchema, createPeers, loadConfig, type Peers } from '@claviger/service-kit';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, sayJson, table, tell } from '@claviger/terminal/output';

/** In this order: auth first, because it admits people. */
const SERVICES = ['auth', 'workflow', 'vault', 'audit'] as const;
const TIMEOUT_MS = 30_000;

export interface RestoreRequest {
  readonly configFile: string;
  readonly json: boolean;
}

export interface FinishRequest extends RestoreRequest {
  readonly keepApiTokens: boolean;
  readonly keepAgentTokens: boolean;
}

type State = contract.GetRestoreStateResponse;

/**
 * The command `restore status`: the epoch of the database of each service, and why the service refuses to
 * serve.
 */
export function restoreStatus(request: RestoreRequest): Promise<ExitCode> {
  return withPeers(request, async (peers) => {
    const states = await readStates(peers);
    if (request.json) sayJson({ services: states });
    else say(table([['SERVICE', 'EPOCH', 'OUTSIDE', 'PROBLEM'], ...states.map(rowOf)]));
    return states.every((state) => state.problem === '') ? EXIT.ok : EXIT.error;
  });
}

const rowOf = (state: State): string[] => [
  state.service,
  String(state.epoch),
  String(state.outsideEpoch),
  state.problem || 'none',
];

/**
 * The command `restore finish`: begins the next epoch, ends the access of every tenant in every service, and
 * stores the epoch. If it is killed, run it again: it begins another epoch and repeats all steps, which has
 * no further effect.
 */
export function finishRestore(request: FinishRequest): Promise<ExitCode> {
  return withPeers(request, async (peers) => {
    const states = await readStates(peers);
    const epoch = Math.max(...states.flatMap((state) => [state.epoch, state.outsideEpoch])) + 1;
    tell(`finishing the restore as epoch ${epoch}: nothing is served until it is done`);
    for (const service of SERVICES)
      await restoreClient(peers, service).beginRestore({ epoch }, { timeoutMs: TIMEOUT_MS });
    const tenants = await tenantIds(peers);
    const totals = new Map<string, number>();
    for (const [index, tenantId] of tenants.entries()) {
      for (const service of SERVICES) {
        const { ended } = await restoreClient(peers, service).endTenantAccess(
          { epoch, keepApiTokens: request.keepApiTokens, keepAgentTokens: request.keepAgentTokens },
          { timeoutMs: TIMEOUT_MS, tenantId },
        );
        for (const { name, count } of ended) totals.set(name, (totals.get(name) ?? 0) + count);
      }
      if ((index + 1) % 10 === 0 || index + 1 === tenants.length)
        tell(`ended the access of ${index + 1} of ${tenants.length} tenants`);
    }
    for (const service of SERVICES)
      await restoreClient(peers, service).finishRestore({ epoch }, { timeoutMs: TIMEOUT_MS });
    const ended = Object.fromEntries(totals);
    if (request.json) sayJson({ epoch, tenants: tenants.length, ended });
    else {
      say(`restore epoch ${epoch} is finished for ${tenants.length} tenants; ended:`);
      say(table(Object.entries(ended).map(([name, count]) => [name, String(count)])));
    }
    tell('people sign in again; see docs/operations.md for what to compare with the time after the backup');
    return EXIT.ok;
  });
}

const restoreClient = (peers: Peers, service: (typeof SERVICES)[number]) =>
  peers.client(service, contract.RestoreService);

/** Throws if a service does not answer: a restore is finished in all services or in none. */
function readStates(peers: Peers): Promise<State[]> {
  return Promise.all(
    SERVICES.map((service) =>
      restoreClient(peers, service)
        .getRestoreState({}, { timeoutMs: TIMEOUT_MS })
        .catch((cause: unknown) => {
          throw new CommandError(
            `${service} does not answer: all services must run while a restore is finished (\`claviger status\`)`,
            EXIT.error,
            { cause },
          );
        }),
    ),
  );
}

async function tenantIds(peers: Peers): Promise<string[]> {
  const client = peers.client('auth', auth.OperatorService);
  const all: string[] = [];
  for (;;) {
    const { tenantIds: page } = await client.listTenantIds({ afterTenantId: all.at(-1) ?? '' });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

async function withPeers<T>({ configFile }: RestoreRequest, use: (peers: Peers) => Promise<T>): Promise<T> {
  const peers = createPeers(loadConfig(baseConfigSchema, configFile));
  try {
    return await use(peers);
  } finally {
    peers.close();
  }
}
