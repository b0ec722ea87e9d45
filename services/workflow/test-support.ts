import { randomBytes, randomUUID } from 'node:crypto';
import { soleLeadership } from '@claviger/cluster';
import { type MethodInfo, methodOf, normalizeIds, validateMessage } from '@claviger/contracts';
import * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { createDatabase, type Database, migrate } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Facts } from '@claviger/evaluator';
import { createEmitter } from '@claviger/events';
import { type Actor, type CallContext, createLogger, permits } from '@claviger/service-kit';
import { type SettingsReader, sections } from '@claviger/settings';
import { startMigratedDatabase } from '@claviger/testkit';
import { DeviceRecorder } from './device-recorder.ts';
import { EmergencyRecorder } from './emergency-recorder.ts';
import { sweepBreakglass } from './src/breakglass/sweep-breakglass.ts';
import { runSweep } from './src/duties/sweep.ts';
import { createEvaluationPool } from './src/evaluation/evaluation-pool.ts';
import { migrations } from './src/migrate.ts';
import type { Vault } from './src/peers.ts';
import {
  accessPoliciesService,
  breakglassService,
  grantsService,
  type HandlerDeps,
  protectionService,
  requestsService,
} from './src/registry.ts';
import { createDecider, type Decided, type Decider } from './src/rules/decider.ts';
import type { WorkflowSchema } from './src/schema.ts';

interface Entitlement {
  readonly tenantId: string;
  readonly userId: string;
  readonly expiresAt: string | undefined;
  delivered: number;
  removed: string | undefined;
}

/**
 * Test double of the vault: records calls and can be made unavailable. The network tests use the real
 * service.
 */
export class VaultRecorder {
  away = false;
  readonly entitlements = new Map<string, Entitlement>();
  /** Owners and sharers, by entry or resource. */
  readonly beneficiaries = new Map<string, Set<string>>();
  readonly removals: { grantId: string; cause: string }[] = [];
  readonly #resources = new Map<string, { tenantId: string; name: string; entryIds: string[] }>();
  /** Runs while an entitlement is being placed. */
  whilePlacing: () => Promise<void> = async () => {};
  whileDelivering: () => Promise<void> = async () => {};

  addResource(tenantId: string, name: string, entries = 1): { resourceId: string; entryIds: string[] } {
    const resourceId = randomUUID();
    const entryIds = Array.from({ length: entries }, () => randomUUID());
    this.#resources.set(resourceId, { tenantId, name, entryIds });
    return { resourceId, entryIds };
  }

  deleteEntry(entryId: string): void {
    for (const resource of this.#resources.values())
      resource.entryIds = resource.entryIds.filter((id) => id !== entryId);
  }

  readonly client: Vault = {
    describeSubject: async ({ entryId, resourceId }, options) => {
      this.#answer();
      for (const [id, resource] of this.#resources) {
        if (resource.tenantId !== options?.tenantId) continue;
        if (id === resourceId && resource.entryIds.length !== 1)
          throw ClavigerError.invalid('/resourceId', 'has several entries: name one');
        if (id !== resourceId && !resource.entryIds.includes(entryId)) continue;
        return {
          entryId: entryId || resource.entryIds[0]!,
          entryName: `entry of ${resource.name}`,
          username: 'root',
          resourceId: id,
          resourceName: resource.name,
          moduleType: 'ssh',
        };
      }
      throw ClavigerError.notFound();
    },
    describeResource: async ({ resourceId }, options) => {
      this.#answer();
      const resource = this.#resources.get(resourceId);
      if (resource?.tenantId !== options?.tenantId || !resource) throw ClavigerError.notFound();
      return { resourceId, resourceName: resource.name, moduleType: 'ssh' };
    },
    describeBeneficiaries: async ({ entryId, resourceId, userIds }) => {
      this.#answer();
      const found = this.beneficiaries.get(entryId || resourceId) ?? new Set<string>();
      return { userIds: userIds.filter((id) => found.has(id)) };
    },
    placeEntitlement: async ({ grantId, entryId, userId, expiresAt }, options) => {
      this.#answer();
      await this.whilePlacing();
      if (![...this.#resources.values()].some((resource) => resource.entryIds.includes(entryId)))
        throw ClavigerError.notFound();
      if (!this.entitlements.has(grantId))
        this.entitlements.set(grantId, {
          tenantId: options!.tenantId!,
          userId,
          expiresAt,
          delivered: 0,
          removed: undefined,
        });
      return {};
    },
    removeEntitlement: async ({ grantId, cause }) => {
      this.#answer();
      this.removals.push({ grantId, cause });
      const entitlement = this.entitlements.get(grantId);
      if (!entitlement) return { rotationQueued: false, rotation: 'not-needed' };
      entitlement.removed ??= cause;
      const isRotated = entitlement.delivered > 0;
      return { rotationQueued: isRotated, rotation: isRotated ? 'queued' : 'not-needed' };
    },
    deliverCredentials: async ({ grantId }, options) => {
      this.#answer();
      if (!options?.actorToken) throw new ClavigerError('unauthenticated', 'No actor.');
      const entitlement = this.entitlements.get(grantId);
      if (!entitlement || entitlement.removed)
        throw new ClavigerError('conflict', 'Gone.', { code: 'wrong_status' });
      if (entitlement.delivered > 0)
        throw new ClavigerError('conflict', 'Handed out already.', { code: 'already_delivered' });
      entitlement.delivered += 1;
      await this.whileDelivering();
      return {
        entryId: randomUUID(),
        version: 3,
        username: 'root',
        secret: 'a secret of the vault',
        type: 'password',
        receipt: undefined,
        host: '127.0.0.1',
        port: 22,
        rotationState: 'none',
      };
    },
  };

  #answer(): void {
    if (this.away)
      throw new ClavigerError('unavailable', 'A part of the system cannot be reached.', {
        retryAfterSeconds: 1,
      });
  }
}

/** Dependencies of the handlers, without those of the assistant, elevations and explanations. */
type WorkflowDeps = Omit<
  HandlerDeps,
  | 'notifier'
  | 'checkProvider'
  | 'decidedBy'
  | 'docs'
  | 'providerPolicy'
  | 'reads'
  | 'settings'
  | 'userPermissions'
> & {
  readonly settings: SettingsReader<'access' | 'assistant' | 'breakglass' | 'elevation'>;
};

/** A slow machine must not reach a deadline that is not tested. */
export const PATIENT_MS = 120_000;

/** The handlers of this service on a real PostgreSQL, called as by the pipeline. */
export async function startWorkflow() {
  const scratch = await startMigratedDatabase('workflow', (schema) => migrate(schema, migrations));
  // Many concurrent calls wait for one row and for connections; the duration is not tested.
  const patience = { connectMs: PATIENT_MS, lockMs: PATIENT_MS, statementMs: PATIENT_MS };
  const schema = { ...scratch.schema, poolSize: 16, patience };
  const database: Database<WorkflowSchema> = createDatabase(schema);
  const vault = new VaultRecorder();
  const emergency = new EmergencyRecorder();
  const devices = new DeviceRecorder();
  /** Users that auth knows, by tenant, with their status. */
  const users = new Map<string, Map<string, string>>();
  const people: Actor[] = [];
  const settings = {
    access: { ...sections.access.defaults },
    assistant: { ...sections.assistant.defaults },
    breakglass: { ...sections.breakglass.defaults },
    elevation: { ...sections.elevation.defaults },
  };
  const logger = createLogger({ service: 'workflow', node: 'workflow-test', level: 'silent' });
  const evaluations = createEvaluationPool();
  const deps: WorkflowDeps = {
    settings: { read: async () => ({ version: '', values: settings }) },
    database,
    emitter: createEmitter({ service: 'workflow', macKey: randomBytes(32) }),
    logger,
    decider: createDecider({ database, logger }, { deadlineMs: PATIENT_MS }),
    evaluations,
    vault: vault.client,
    emergency: emergency.client,
    emergencyRestriction: emergency.restriction,
    devices: {
      ...devices.client,
      listPermittedUsers: async ({ permission }, options) => ({
        users: people
          .filter(({ tenantId }) => tenantId === options!.tenantId)
          .filter(({ userId, tenantId }) => users.get(tenantId)!.get(userId) === 'active')
          .filter(({ permissions }) => permits(permissions, permission))
          .map(({ userId, userName, roles }) => ({
            id: userId,
            name: userName,
            roles: [...roles],
            siteRestricted: false,
            siteIds: [],
            groups: [],
            behind: [],
          })),
        truncated: false,
      }),
    },
    directory: {
      getUserNames: async ({ userIds }, options) => ({
        users: userIds
          .filter((id) => users.get(options!.tenantId!)?.has(id))
          .map((id) => ({
            id,
            username: id,
            displayName: id,
            status: users.get(options!.tenantId!)!.get(id)!,
          })),
      }),
    },
  };
  const handlers = {
    ...bind(workflow.RequestsService, requestsService(deps)),
    ...bind(workflow.ProtectionService, protectionService(deps)),
    ...bind(workflow.GrantsService, grantsService(deps)),
    ...bind(workflow.AccessPoliciesService, accessPoliciesService(deps)),
    ...bind(breakglass.BreakglassService, breakglassService(deps)),
  };
  return {
    scratch,
    schema: schema.schema,
    deps,
    /** The settings of the tenants; tests may change them. */
    settings,
    vault,
    emergency,
    devices,
    connection: schema,
    handlers,
    sweep: () => runSweep(deps, soleLeadership),
    sweepBreakglass: () => sweepBreakglass(deps, soleLeadership),
    tenant: (): Tenant => {
      const tenantId = randomUUID();
      users.set(tenantId, new Map());
      return {
        tenantId,
        setStatus: (userId, status) => void users.get(tenantId)!.set(userId, status),
        user: (permissions, roles = []) => {
          const userId = randomUUID();
          users.get(tenantId)!.set(userId, 'active');
          const person: Actor = {
            userId,
            userName: `user-${userId.slice(0, 8)}`,
            tenantId,
            sessionId: randomUUID(),
            kind: 'user',
            permissions: new Set(permissions),
            roles,
            platform: false,
            mfaPending: false,
            mfaAt: 0,
          };
          people.push(person);
          return person;
        },
      };
    },
    /** As superuser, with the triggers disabled: moves the times of a row into the past. */
    age: async (table: 'requests' | 'grants', id: string, minutes: number) => {
      await scratch.query(
        `SET session_replication_role = replica;
         UPDATE ${schema.schema}.${table} SET expires_at = expires_at - interval '${minutes} minutes'
           ${table === 'requests' ? ', created_at' : ', starts_at'} = ${table === 'requests' ? 'created_at' : 'starts_at'} - interval '${minutes} minutes'
         WHERE id = '${id}'`,
      );
    },
    /** Actions of the audit events of one subject, oldest first. */
    events: async (subjectId: string) => {
      const rows = await scratch.query<{ payload: string }>(
        `SELECT payload FROM ${schema.schema}.outbox WHERE subject = 'audit.workflow' ORDER BY created_at`,
      );
      return rows
        .map(
          (row) =>
            JSON.parse(row.payload) as {
              subjectId: string;
              action: string;
              details: Record<string, unknown>;
            },
        )
        .filter((event) => event.subjectId === subjectId);
    },
    [Symbol.asyncDispose]: async () => {
      await evaluations[Symbol.asyncDispose]();
      await database.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

export interface Tenant {
  readonly tenantId: string;
  /** Sets the status of the user that auth returns. */
  setStatus(userId: string, status: 'active' | 'disabled' | 'deleted'): void;
  user(permissions: readonly string[], roles?: readonly string[]): Actor;
}

export const REQUESTER = ['requests.read', 'requests.create', 'grants.read', 'grants.use'];
export const APPROVER = [...REQUESTER, 'requests.decide'];
export const ADMIN = ['*'];

export type Workflow = Awaited<ReturnType<typeof startWorkflow>>;

type AnyHandler = (request: never, context: CallContext) => Promise<unknown>;
type Called<H extends Record<string, AnyHandler>> = {
  [K in keyof H]: (actor: Actor, request?: Partial<Parameters<H[K]>[0]>) => ReturnType<H[K]>;
};

/**
 * The pipeline without the network: permission, field rules, ids, handler, and a check that an audited
 * method has written its event.
 */
export function bind<H extends Record<string, AnyHandler>>(
  definition: Record<string, { path: string; requestDeserialize: (value: Buffer) => object }>,
  handlers: H,
): Called<H> {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      async (actor: Actor, fields: object = {}) => {
        const rpc = definition[name]!;
        const method = methodOf(rpc.path);
        if (method.policy!.permission && !permits(actor.permissions, method.policy!.permission))
          throw new ClavigerError('denied', method.policy!.permission);
        const request = structuredClone({ ...rpc.requestDeserialize(Buffer.alloc(0)), ...fields });
        const problems = validateMessage(method.request, request);
        if (problems.length > 0) throw new ClavigerError('invalid', 'Not valid.', { fields: problems });
        normalizeIds(method.request, request);
        const context = contextOf(method, actor);
        const answer = await handler(request as never, context);
        if (method.policy!.audit && !context.audited) throw new Error(`${rpc.path} left no audit event`);
        return answer;
      },
    ]),
  ) as Called<H>;
}

function contextOf(method: MethodInfo, actor: Actor): CallContext {
  return {
    method,
    caller: 'gateway',
    tenantId: actor.tenantId,
    hasTenant: true,
    actor,
    actorIfAny: actor,
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

/** Decides by the current rules. */
export async function decideNow(decider: Decider, tenantId: string, facts: Facts): Promise<Decided> {
  return decider.decide(tenantId, facts, await decider.snapshot(tenantId));
}

/** `ok`, or the code of the refusal; other errors are thrown. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (error instanceof ClavigerError) return error.code;
    throw error;
  }
}
