import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PooledConnector } from '@claviger/connectors';
import { type MethodInfo, methodOf, validateMessage } from '@claviger/contracts';
import { createDatabase, migrate } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { createEmitter } from '@claviger/events';
import { createRootKeyFile } from '@claviger/keyring';
import { type Actor, type CallContext, createLogger, permits, type RpcServer } from '@claviger/service-kit';
import { startMigratedDatabase } from '@claviger/testkit';
import type { WorkflowSays } from './rights-oracle.ts';
import type { VaultConfig } from './src/config.ts';
import { createDisclosureGate } from './src/disclosure/disclosure-gate.ts';
import { openRootKeySeal } from './src/encryption/root-key-seal.ts';
import { createSecrets } from './src/encryption/secrets.ts';
import { createTenantKeys } from './src/encryption/tenant-keys.ts';
import { migrations } from './src/migrate-vault.ts';
import { type HandlerDeps, registerHandlers } from './src/registry.ts';
import type { VaultSchema } from './src/schema.ts';

const PATIENT_MS = 120_000;

/** A target of these tests, in the place of a connector. */
export type AnsweringTarget = Pick<PooledConnector, 'verify' | 'rotate'>;

type AnyHandler = (request: object, context: CallContext) => Promise<unknown>;

/** All operations of the vault in this process, on a real PostgreSQL, called as the pipeline calls them. */
export async function startRights(options: { readonly rotation?: Partial<VaultConfig['rotation']> } = {}) {
  const scratch = await startMigratedDatabase('vault', (schema) => migrate(schema, migrations));
  const folder = await mkdtemp(join(tmpdir(), 'claviger-rights-'));
  const timeouts = { connectMs: PATIENT_MS, lockMs: PATIENT_MS, statementMs: PATIENT_MS };
  const schema = { ...scratch.schema, poolSize: 8, timeouts };
  const database = createDatabase<VaultSchema>(schema);
  const logger = createLogger({ service: 'vault', node: 'vault-test', level: 'silent' });
  const rootKeyFile = join(folder, 'root-key');
  await createRootKeyFile(rootKeyFile);
  const seal = await openRootKeySeal({
    database,
    rootKey: { provider: 'file', path: rootKeyFile },
    logger,
    onClose: () => {},
  });
  const keys = createTenantKeys(database, seal, { activeForMs: PATIENT_MS });
  const emitter = createEmitter({ service: 'vault', macKey: randomBytes(32) });
  /** The users in auth, with their status. */
  const users = new Map<string, 'active' | 'disabled' | 'deleted'>();
  let authIsAway = false;
  /** Workflow's answer about each change: pending, a decision, or no answer. */
  const protection = {
    status: 'pending' as WorkflowSays,
    /** The answer for a change with this reason. */
    statusOf: (_reason: string): WorkflowSays => protection.status,
    requestIdOf: (): string => protection.requestId,
    requestId: randomUUID() as string,
    digests: [] as string[],
    /** Resources with an access policy of their own. */
    policies: new Set<string>(),
  };
  /** The target of each tenant. */
  const targets = new Map<string, AnsweringTarget>();
  const { privateKey } = generateKeyPairSync('ed25519');
  const deps = {
    config: { rotation: { probesPerWindow: 2, probeWindowSeconds: 1_800, ...options.rotation } },
    connectors: { connector: (_type: string, tenantId: string) => targets.get(tenantId) },
    platform: { rules: () => ({ ownServers: [], openTargets: [] }) },
    database,
    emitter,
    logger,
    keys,
    secrets: createSecrets(keys, () => void seal.requireOpen(), logger),
    gate: createDisclosureGate(database, emitter),
    receiptKey: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    protection: {
      describePolicy: async ({ resourceId }: { resourceId: string }) => {
        if (protection.status === 'away')
          throw new ClavigerError('unavailable', 'A part of the system cannot be reached.');
        return { customised: protection.policies.has(resourceId) };
      },
      requestProtectionChange: async (asked: { changeDigest: string; reason: string }) => {
        const status = protection.statusOf(asked.reason);
        if (status === 'away') {
          throw new ClavigerError('unavailable', 'A part of the system cannot be reached.');
        }
        protection.digests.push(asked.changeDigest);
        return { governed: status !== 'not governed', requestId: protection.requestIdOf(), status };
      },
    },
    directory: {
      getUserNames: async ({ userIds }: { userIds: string[] }) => {
        if (authIsAway) throw new ClavigerError('unavailable', 'A part of the system cannot be reached.');
        return {
          users: userIds
            .filter((id) => users.has(id))
            .map((id) => ({ id, username: id, displayName: id, status: users.get(id)! })),
        };
      },
    },
  } as unknown as HandlerDeps;
  const handlers = new Map<string, AnyHandler>();
  const requests = new Map<string, object>();
  const collector = {
    add: (definition: object, added: object) => {
      for (const [name, rpc] of Object.entries(definition) as [
        string,
        { path: string; requestDeserialize: (bytes: Buffer) => object },
      ][]) {
        handlers.set(rpc.path, (added as Record<string, AnyHandler>)[name]!);
        requests.set(rpc.path, rpc.requestDeserialize(Buffer.alloc(0)));
      }
    },
  } as unknown as RpcServer;
  registerHandlers(collector, deps);
  const call = async (path: string, actor: Actor, fields: object): Promise<unknown> => {
    const method = methodOf(path);
    const { permission, internal } = method.policy!;
    if (permission && !permits(actor.permissions, permission)) throw new ClavigerError('denied', permission);
    const request = { ...requests.get(path)!, ...fields };
    const problems = validateMessage(method.request, request);
    if (problems.length > 0) throw new ClavigerError('invalid', 'Not valid.', { fields: problems });
    const context = contextOf(method, actor, internal);
    const answer = await handlers.get(path)!(request, context);
    if (method.policy!.audit && !context.audited) throw new Error(`${path} left no audit event`);
    return answer;
  };
  return {
    deps,
    scratch,
    schema: schema.schema,
    users,
    /** Auth does not answer until the result is disposed. */
    directoryAway: (): Disposable => {
      authIsAway = true;
      return {
        [Symbol.dispose]: () => {
          authIsAway = false;
        },
      };
    },
    targets,
    protection,
    /** Paths of the registered operations. */
    paths: [...handlers.keys()],
    call,
    person: (tenantId: string, permissions: readonly string[], more: Partial<Actor> = {}): Actor => {
      const userId = more.userId ?? randomUUID();
      users.set(userId, 'active');
      return {
        userId,
        userName: `user-${userId.slice(0, 8)}`,
        tenantId,
        sessionId: randomUUID(),
        kind: 'user',
        permissions: new Set(permissions),
        roles: [],
        platform: false,
        mfaPending: false,
        mfaAt: Math.floor(Date.now() / 1000),
        ...more,
      };
    },
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await scratch[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type RightsBench = Awaited<ReturnType<typeof startRights>>;

function contextOf(method: MethodInfo, actor: Actor, internal: boolean): CallContext {
  return {
    method,
    caller: internal ? 'workflow' : 'gateway',
    tenantId: actor.tenantId,
    hasTenant: true,
    actor,
    actorIfAny: internal ? undefined : actor,
    actorToken: `token of ${actor.userId}`,
    requestId: randomUUID(),
    sourceAddress: '127.0.0.1',
    signal: new AbortController().signal,
    deadline: new Date(Date.now() + PATIENT_MS),
    audited: false,
    auditSubject: undefined,
    auditTenantId: undefined,
    auditActorId: undefined,
  };
}

/** `ok`, or the code of a refusal. Throws other errors. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (isClavigerError(error)) return error.code;
    throw error;
  }
}
