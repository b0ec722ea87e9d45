import * as contract from '@claviger/contracts/cluster/v1/seal';
import { type ClavigerError, isClavigerError } from '@claviger/errors';
import { type SealedService, type ShareText, sealedServices } from '@claviger/sealing';
import {
  baseConfigSchema,
  type CallOptions,
  createPeers,
  loadConfig,
  type ReplicaAnswer,
  type ServiceClient,
} from '@claviger/service-kit';

type SealClient = ServiceClient<typeof contract.SealService>;

/** Answer of one replica: its seal status, or why it failed or refused. */
export interface ReplicaSeal {
  readonly service: SealedService;
  readonly address: string;
  readonly seal?: contract.SealState;
  readonly problem?: string;
  /** Code of a refusal, e.g. `wrong_shares`. */
  readonly code?: string;
}

/**
 * The seal status of every replica of every service that has a root key; each replica is asked separately.
 */
export interface Seals {
  look(): Promise<ReplicaSeal[]>;
  /** Sends each sealed replica its part of the share. */
  submit(share: ShareText, options: { initialise: boolean }): Promise<ReplicaSeal[]>;
  discard(): Promise<ReplicaSeal[]>;
  seal(): Promise<ReplicaSeal[]>;
  reopen(): Promise<ReplicaSeal[]>;
  close(): void;
}

const TIMEOUT_MS = 15_000;

/** Uses the certificate of the operator, which only the account of the installation can read. */
export function connectSeals(configFile: string): Seals {
  const config = loadConfig(baseConfigSchema, configFile);
  const peers = createPeers(config);
  const configured = sealedServices.filter((service) => config.peers[service] !== undefined);
  // The tenant whose audit log records the operation; auth knows it.
  let tenantId: string | undefined;
  const each = (
    ask: (
      client: SealClient,
      service: SealedService,
      options: CallOptions,
    ) => Promise<{ seal?: contract.SealState | undefined }>,
  ) =>
    Promise.all(
      configured.map((service) =>
        peers
          .each(service, contract.SealService, (client) =>
            ask(client, service, { timeoutMs: TIMEOUT_MS, tenantId }),
          )
          .then(
            (replicas) => replicas.map((replica) => sealOf(service, replica)),
            (error: unknown) => {
              if (!isClavigerError(error)) throw error;
              return [failed(service, config.peers[service]!.join(', '), error)];
            },
          ),
      ),
    ).then((answers) => answers.flat());
  const look = async (): Promise<ReplicaSeal[]> => {
    const found = await each((client, _, options) => client.getSeal({}, options));
    tenantId = found.map(({ seal }) => seal?.platformTenantId).find((id) => id) ?? tenantId;
    return found;
  };
  return {
    look,
    submit: (share, { initialise }) =>
      each((client, service, options) => {
        const part = share.parts.get(service);
        if (part === undefined) return client.getSeal({}, options);
        return client.submitShare({ ...part, data: Buffer.from(part.data), initialise }, options);
      }),
    discard: () => each((client, _, options) => client.discardShares({}, options)),
    seal: () => each((client, _, options) => client.closeSeal({}, options)),
    reopen: () =>
      each(async (client, _, options) => {
        const { seal } = await client.getSeal({}, options);
        return seal?.provider === 'shamir' ? { seal } : client.openSeal({}, options);
      }),
    close: () => peers.close(),
  };
}

function sealOf(
  service: SealedService,
  replica: ReplicaAnswer<{ seal?: contract.SealState | undefined }>,
): ReplicaSeal {
  const { address, error } = replica;
  if (error) return failed(service, address, error);
  const { seal } = replica.answer;
  return seal ? { service, address, seal } : { service, address, problem: 'it answered nothing' };
}

function failed(service: SealedService, address: string, error: ClavigerError): ReplicaSeal {
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return { service, address, problem: `${error.message}${hint}`, code: error.code };
}
