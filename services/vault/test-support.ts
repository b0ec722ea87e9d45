import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceDefinition } from '@claviger/contracts';
import * as emergency from '@claviger/contracts/vault/v1/emergency';
import * as encryption from '@claviger/contracts/vault/v1/encryption';
import * as exposure from '@claviger/contracts/vault/v1/exposure';
import * as vault from '@claviger/contracts/vault/v1/vault';
import {
  createTemporaryDataDir,
  databaseName,
  type Installation,
  type StartOptions,
  startInstallation,
} from '@claviger/installation';
import {
  type Actor,
  type BaseConfig,
  baseConfigSchema,
  type CallOptions,
  createPeers,
  loadConfig,
  type Peers,
  type ServiceClient,
  signActorToken,
} from '@claviger/service-kit';
import pg from 'pg';

/** A vault in real processes on real servers, with clients of its callers. */
export interface VaultBench extends AsyncDisposable {
  readonly installation: Installation;
  readonly receiptPublicKey: ReturnType<typeof createPublicKey>;
  /** Restarts the vault and waits until its callers are connected again. */
  restart(options?: { readonly env?: Readonly<Record<string, string>> }): Promise<void>;
  /** Arms failpoints in all running vaults, e.g. `vault.rotate.before_promote=crash`; '' disarms them. */
  arm(points: string): void;
  /** A client with the calls of one person, as the gateway makes them (deliveries: as workflow). */
  as(person: Partial<Actor>): Promise<Person>;
  /** Calls of the workflow service in a tenant. */
  workflow(tenantId: string): Calls<typeof vault.EntitlementsService>;
  emergency(tenantId: string): Calls<typeof emergency.EmergencyService>;
  readonly gateway: Peers;
  /** Auth's client, for the deprovisioning of tenants. */
  readonly auth: Peers;
  /** Allows targets at these ports of 127.0.0.1. */
  openPorts(...ports: readonly number[]): Promise<void>;
  superuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** The log of the vault. */
  log(): string;
}

/** A client whose requests may omit unset fields. */
export type Calls<D extends ServiceDefinition> = {
  readonly [K in keyof ServiceClient<D>]: (
    request: Partial<Parameters<ServiceClient<D>[K]>[0]>,
  ) => ReturnType<ServiceClient<D>[K]>;
};

export interface Person {
  readonly actor: Actor;
  /** Options of each call of the person. */
  options(): Promise<CallOptions>;
  readonly entries: Calls<typeof vault.EntriesService>;
  readonly resources: Calls<typeof vault.ResourcesService>;
  readonly modules: Calls<typeof vault.ModulesService>;
  readonly entitlements: Calls<typeof vault.EntitlementsService>;
  readonly encryption: Calls<typeof encryption.EncryptionService>;
  readonly exposure: Calls<typeof exposure.ExposureService>;
}

/** A long lease: on a busy machine a short one could end while its worker still runs. See `endLeases`. */
export const quickRotation = {
  leaseSeconds: 60,
  sweepIntervalSeconds: 0.2,
  settleSeconds: 0.2,
  backoffSeconds: 0.5,
};

/** Ends all leases, as if time had passed since a worker was killed during a rotation. */
export async function endLeases(bench: VaultBench): Promise<void> {
  await bench.superuser((client) =>
    client.query('UPDATE rotations SET lease_until = now() WHERE finished_at IS NULL'),
  );
}

/** If `auth` is among its services, the users of `as` exist in auth as well. */
export async function startVault(options: Partial<StartOptions> = {}): Promise<VaultBench> {
  const dataDir = await createTemporaryDataDir();
  const installation = await startInstallation({
    dataDir,
    environment: 'test',
    services: ['vault'],
    overrides: { vault: { rotation: quickRotation } },
    ...options,
    env: { ...options.env, vault: { FAILPOINTS_FILE: 'failpoints', ...options.env?.vault } },
  });
  const { layout } = installation;
  const actorKey = createPrivateKey(readFileSync(layout.secret('actor-token.pem')));
  const base = loadConfig(baseConfigSchema, installation.operator.configFile);
  const peersOf = (service: string) => {
    const grpc = { ...base.grpc, ...layout.leaf(service) };
    return createPeers({ ...base, grpc } satisfies BaseConfig);
  };
  const gateway = peersOf('gateway');
  const workflow = peersOf('workflow');
  const auth = peersOf('auth');
  // A call waits only briefly for a connection.
  const connected = () =>
    Promise.all(
      [gateway, workflow, auth].map((peers) =>
        eventually('an answer of the vault', () =>
          peers
            .client('vault', vault.EntriesService)
            .getEntry({ entryId: randomUUID() })
            .then(
              () => true,
              (error: { reason?: string }) =>
                error.reason !== 'unavailable' && error.reason !== 'deadline_exceeded',
            ),
        ),
      ),
    );
  await connected();
  const knowsUsers = options.services?.includes('auth') ?? false;
  const superuser: VaultBench['superuser'] = async (work) => {
    const { postgres } = installation.servers;
    const client = new pg.Client({
      host: postgres.socketDir,
      port: postgres.port,
      user: postgres.superuser,
      password: postgres.password,
      database: databaseName,
      options: '-c search_path=vault',
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const enrol = ({ tenantId, userId }: Actor) =>
    superuser(async (client) => {
      await client.query('SET search_path = auth');
      await client.query(
        'INSERT INTO tenants (id, name) VALUES ($1::uuid, $1::text) ON CONFLICT DO NOTHING',
        [tenantId],
      );
      await client.query(
        `INSERT INTO users (tenant_id, id, username, canonical_login, kind)
        VALUES ($1, $2::uuid, $2::text, $2::text, 'person') ON CONFLICT DO NOTHING`,
        [tenantId, userId],
      );
    });

  return {
    installation,
    restart: async (options) => {
      await installation.restart('vault-1', options);
      await connected();
    },
    arm: (points) => writeFileSync(join(installation.dataDir, 'failpoints'), points),
    openPorts: (...ports) => installation.openTargets(...ports.map((port) => `127.0.0.1:${port}`)),
    receiptPublicKey: createPublicKey(readFileSync(layout.secret('vault-receipt.pem'))),
    as: async (person) => {
      const actor: Actor = {
        userId: randomUUID(),
        userName: 'somebody',
        tenantId: randomUUID(),
        sessionId: randomUUID(),
        kind: 'user',
        permissions: new Set(['*']),
        roles: [],
        mfaPending: false,
        platform: false,
        mfaAt: Math.floor(Date.now() / 1000),
        ...person,
      };
      if (knowsUsers) await enrol(actor);
      const call = async (): Promise<CallOptions> => ({
        actorToken: (await signActorToken(actor, ['vault'], actorKey)).token,
      });
      return {
        actor,
        options: call,
        entries: withOptions(gateway.client('vault', vault.EntriesService), vault.EntriesService, call),
        resources: withOptions(gateway.client('vault', vault.ResourcesService), vault.ResourcesService, call),
        modules: withOptions(gateway.client('vault', vault.ModulesService), vault.ModulesService, call),
        encryption: withOptions(
          gateway.client('vault', encryption.EncryptionService),
          encryption.EncryptionService,
          call,
        ),
        exposure: withOptions(
          gateway.client('vault', exposure.ExposureService),
          exposure.ExposureService,
          call,
        ),
        entitlements: withOptions(
          workflow.client('vault', vault.EntitlementsService),
          vault.EntitlementsService,
          call,
        ),
      };
    },
    workflow: (tenantId) =>
      withOptions(
        workflow.client('vault', vault.EntitlementsService),
        vault.EntitlementsService,
        async () => ({ tenantId }),
      ),
    emergency: (tenantId) =>
      withOptions(
        workflow.client('vault', emergency.EmergencyService),
        emergency.EmergencyService,
        async () => ({ tenantId }),
      ),
    gateway,
    auth,
    superuser,
    log: () => installation.nodes.map((node) => readFileSync(node.logFile, 'utf8')).join('\n'),
    [Symbol.asyncDispose]: async () => {
      gateway.close();
      workflow.close();
      auth.close();
      await installation.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A client that passes these options with every call. */
function withOptions<D extends ServiceDefinition>(
  client: ServiceClient<D>,
  definition: D,
  options: () => Promise<CallOptions>,
): Calls<D> {
  const calls: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(definition)) {
    const send = client[name] as (request: object, options: CallOptions) => Promise<unknown>;
    const unset = method.requestDeserialize(Buffer.alloc(0)) as object;
    calls[name] = async (request: object) =>
      send({ ...unset, ...request }, { timeoutMs: 60_000, ...(await options()) });
  }
  return calls as Calls<D>;
}

/** Repeats the check until it returns a true value, for at most 90 seconds. */
export async function eventually<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within 90 seconds`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
