import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as cluster from '@claviger/contracts/cluster/v1/health';
import { isClavigerError } from '@claviger/errors';
import {
  createTemporaryDataDir,
  databaseName,
  type Installation,
  startInstallation,
} from '@claviger/installation';
import {
  baseConfigSchema,
  type CallOptions,
  createPeers,
  loadConfig,
  type Peers,
} from '@claviger/service-kit';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { stepAt, totpCode } from './src/mfa/totp.ts';

/**
 * Runs auth alone, as two real processes on real PostgreSQL, Redis and NATS. Tests call it as the gateway and
 * as the operator.
 */
export interface AuthStack extends AsyncDisposable {
  readonly installation: Installation;
  readonly gateway: Peers;
  readonly operator: Peers;
  /** Connects with the certificate of another service. */
  peersOf(service: string): Peers;
  /** Connects as workflow, which may read the permissions of users. */
  readonly workflow: Peers;
  readonly redis: Redis;
  /** Runs a statement as superuser, without row-level security. */
  sql<R extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
}

export async function startAuth(): Promise<AuthStack> {
  const dataDir = await createTemporaryDataDir();
  const installation = await startInstallation({
    dataDir,
    environment: 'test',
    services: ['auth'],
    replicas: { auth: 2 },
    logLevel: 'warn',
  });
  const { layout, servers, operator } = installation;
  const base = loadConfig(baseConfigSchema, operator.configFile);
  const made = new Map<string, Peers>();
  const peersOf = (name: string): Peers => {
    const known =
      made.get(name) ??
      withCallTimeout(createPeers({ ...base, grpc: { ...layout.leaf(name), caFile: layout.internalCa } }));
    made.set(name, known);
    return known;
  };
  const database = new Client({
    host: servers.postgres.socketDir,
    port: servers.postgres.port,
    user: servers.postgres.superuser,
    password: servers.postgres.password,
    database: databaseName,
    options: '-c search_path=auth',
  });
  await database.connect();
  const redis = new Redis({
    host: servers.redis.host,
    port: servers.redis.port,
    password: servers.redis.password,
  });
  // Some tests stop Redis.
  redis.on('error', () => {});
  const gateway = peersOf('gateway');
  const workflow = peersOf('workflow');
  const operatorPeers = withCallTimeout(createPeers(base));
  return {
    installation,
    gateway,
    peersOf,
    operator: operatorPeers,
    workflow,
    redis,
    sql: async <R extends object>(text: string, values: unknown[] = []) =>
      (await database.query<R>(text, values)).rows,
    [Symbol.asyncDispose]: async () => {
      for (const peers of [...made.values(), operatorPeers]) peers.close();
      redis.disconnect();
      await database.end();
      await installation.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Detects only hanging calls; the tests do not check how fast a busy machine answers. */
const CALL_TIMEOUT_MS = 120_000;

function withCallTimeout(peers: Peers): Peers {
  let reached: Promise<void> | undefined;
  return {
    client: (peer, definition) => {
      const client = peers.client(peer, definition);
      const calls = Object.entries<(request: never, options?: CallOptions) => unknown>(client as never);
      return Object.fromEntries(
        calls.map(([name, call]) => [
          name,
          async (request: never, options?: CallOptions) => {
            reached ??= reach(peers);
            await reached;
            return call(request, { timeoutMs: CALL_TIMEOUT_MS, ...options });
          },
        ]),
      ) as unknown as typeof client;
    },
    each: peers.each,
    close: () => peers.close(),
  };
}

/** Resolves when auth answers over these connections, because a call waits only briefly for a connection. */
async function reach(peers: Peers): Promise<void> {
  const reason = await reasonOf(peers.client('auth', cluster.HealthService).getHealth({}));
  if (reason === 'unavailable') await reach(peers);
}

/**
 * Repeats a call that was refused because its locks were held for too long; the refused call changed nothing.
 * For tests with many concurrent callers, which wait longer on a slow disk.
 */
export function retryWhileLocked<T>(ask: () => Promise<T>): Promise<T> {
  return ask().catch((error: unknown) => {
    if (isClavigerError(error) && /^Another call is changing the same objects/.test(error.message))
      return retryWhileLocked(ask);
    throw error;
  });
}

/** Introspects until the liveness entry of the session is in Redis; a slow Redis may miss one. */
export async function introspectUntilCached(
  stack: AuthStack,
  introspected: () => Promise<auth.IntrospectResponse>,
): Promise<{ seen: auth.IntrospectResponse; live: string }> {
  for (;;) {
    const seen = await introspected();
    const live = await stack.redis.get(`claviger:live:{${seen.sessionId}}`);
    if (live !== null) return { seen, live };
  }
}

export const PASSWORD = 'Weather balloons drift northward';

/** A separate tenant for each test, with its first administrator. */
export interface TestTenant {
  readonly name: string;
  readonly id: string;
  readonly administrator: { readonly id: string; readonly username: string; readonly password: string };
}

export async function newTenant(stack: AuthStack): Promise<TestTenant> {
  const operator = stack.operator.client('auth', auth.OperatorService);
  const name = `t-${randomUUID()}`;
  const { tenantId } = await operator.provisionTenant({ name, displayName: name });
  const made = await operator.bootstrapAdministrator({ username: 'root.admin', tenant: name });
  return {
    name,
    id: tenantId,
    administrator: { id: made.userId, username: made.username, password: made.password },
  };
}

export interface SignedIn {
  readonly answer: auth.LoginResponse;
  /** Options of a call with a new actor token, as the gateway sends. */
  as(): Promise<CallOptions>;
}

export async function signIn(
  stack: AuthStack,
  tenant: string,
  username: string,
  password: string,
  code = '',
): Promise<SignedIn> {
  const answer = await authOf(stack).login({ tenant, username, password, code });
  return { answer, as: () => actingWith(stack, answer.accessToken) };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Returns the current code of a factor's secret; `offset` is in steps. */
export function codeAt(secret: string, offset: number): string {
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
  return totpCode(bytes, stepAt(Date.now() / 1000) + offset);
}

export interface Enrolment {
  readonly secret: string;
  readonly recoveryCodes: string[];
  /** The session that replaced the one that confirmed the factor. */
  readonly session: SignedIn;
}

/** Confirms a factor for the person of a session; the code of the next step stays unused. */
export async function enrolFactor(stack: AuthStack, session: SignedIn): Promise<Enrolment> {
  const { secret } = await authOf(stack).setupMfa({}, await session.as());
  const verified = await authOf(stack).verifyMfa({ code: codeAt(secret, 0) }, await session.as());
  return { secret, recoveryCodes: verified.recoveryCodes, session: continued(stack, session, verified) };
}

/** The session that replaced another one after a second factor. */
export const continued = (
  stack: AuthStack,
  { answer }: SignedIn,
  { accessToken, refreshToken }: { accessToken: string; refreshToken: string },
): SignedIn => ({
  answer: { ...answer, accessToken, refreshToken, token: accessToken },
  as: () => actingWith(stack, accessToken),
});

/** Call options of an administrator who has just proved a second factor. */
export async function asSteppedUp(stack: AuthStack, tenant: TestTenant): Promise<CallOptions> {
  const { username, password } = tenant.administrator;
  const session = await signIn(stack, tenant.name, username, password);
  await stack.sql('UPDATE sessions SET mfa_at = now() WHERE user_id = $1', [tenant.administrator.id]);
  return session.as();
}

export async function actingWith(stack: AuthStack, accessToken: string): Promise<CallOptions> {
  const { actorToken } = await introspectAccess(stack, accessToken);
  return { actorToken };
}

export const introspectAccess = (stack: AuthStack, accessToken: string) =>
  stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'accessToken', value: accessToken }, audiences: ['auth'] });

export const introspectApi = (stack: AuthStack, apiToken: string) =>
  stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'apiToken', value: apiToken }, audiences: ['auth'] });

export const authOf = (stack: AuthStack) => stack.gateway.client('auth', auth.AuthService);
export const usersOf = (stack: AuthStack) => stack.gateway.client('auth', auth.UsersService);
export const rolesOf = (stack: AuthStack) => stack.gateway.client('auth', auth.RolesService);
export const tokensOf = (stack: AuthStack) => stack.gateway.client('auth', auth.ApiTokensService);

export const asAdministrator = async (stack: AuthStack, tenant: TestTenant): Promise<CallOptions> => {
  const { username, password } = tenant.administrator;
  return (await signIn(stack, tenant.name, username, password)).as();
};

/** Creates a user with the password of these tests; the user counts as having chosen it. */
export async function newUser(
  stack: AuthStack,
  tenant: TestTenant,
  username: string,
  roles: string[] = [],
  kind = 'person',
): Promise<auth.User> {
  const as = await asAdministrator(stack, tenant);
  const { user } = await usersOf(stack).createUser(
    { username, displayName: '', email: '', password: '', roles, kind },
    as,
  );
  if (kind === 'person') {
    const { resetToken: token } = await usersOf(stack).startPasswordReset({ userId: user!.id }, as);
    await authOf(stack).completePasswordReset({ token, newPassword: PASSWORD });
  }
  return user!;
}

export const page = { page: undefined, pageSize: undefined, sortBy: '', sortOrder: '', cursor: '' };

/** Returns the code of the refusal, or `ok`. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (isClavigerError(error)) return error.code;
    throw error;
  }
}

export const reasonOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (isClavigerError(error)) return error.reason;
    throw error;
  }
};

export interface AuditRow {
  action: string;
  outcome: string;
  reason: string;
  actorId: string;
  actorName: string;
  subjectId: string;
  details: Record<string, unknown>;
}

/** Returns the audit events of a tenant in the order in which they were written. */
export async function auditOf(stack: AuthStack, tenantId: string): Promise<AuditRow[]> {
  const rows = await stack.sql<{ payload: string }>(
    `SELECT payload FROM outbox WHERE tenant_id = $1 AND subject = 'audit.auth' ORDER BY created_at`,
    [tenantId],
  );
  return rows.map((row) => JSON.parse(row.payload) as AuditRow);
}

export const devicesOf = (stack: AuthStack) => stack.gateway.client('auth', devices.DevicesService);
export const agentsOf = (stack: AuthStack) => stack.gateway.client('auth', devices.AgentsService);

/** Enrols a device and returns it with the token of its agent. */
export async function enrol(
  stack: AuthStack,
  tenant: TestTenant,
  hostname = 'host',
  siteId = '',
): Promise<{ device: devices.Device; agentToken: string }> {
  const { device, agentToken } = await devicesOf(stack).enrolDevice(
    { hostname, siteId, os: '', resourceId: '' },
    await asAdministrator(stack, tenant),
  );
  return { device: device!, agentToken };
}

export const introspectAgent = (stack: AuthStack, agentToken: string) =>
  stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'agentToken', value: agentToken }, audiences: ['auth'] });

export const asAgent = async (stack: AuthStack, agentToken: string): Promise<CallOptions> => {
  const { actorToken } = await introspectAgent(stack, agentToken);
  return { actorToken };
};
