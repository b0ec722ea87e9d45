import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import * as audit from '@claviger/contracts/audit/v1/audit';
import * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as cluster from '@claviger/contracts/cluster/v1/health';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import * as rules from '@claviger/contracts/workflow/v1/rules';
import { ClavigerError } from '@claviger/errors';
import {
  ensureEdgeCertificate,
  ensureServiceCertificate,
  openCertificateAuthority,
} from '@claviger/identity';
import { keyIdOf } from '@claviger/merkle';
import {
  type Actor,
  type BaseConfig,
  type CallContext,
  createActorVerifier,
  createLogger,
  createRpcServer,
  type RpcServer,
  signActorToken,
} from '@claviger/service-kit';
import { Redis } from 'ioredis';
import { SignJWT } from 'jose';
import { expect, vi } from 'vitest';
import { configSchema, type GatewayConfig } from './src/config.ts';
import { createGatewayService, type GatewayService } from './src/service.ts';

export const TENANT = '11111111-1111-4111-8111-111111111111';
const logger = createLogger({ service: 'gateway', node: 'test', level: 'error' });

/** Long enough to detect only hangs: the gateway, its peers and its clients share one thread. */
const PATIENCE = { redisMs: 120_000, peersMs: 120_000 };

export interface TestSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly kind: Actor['kind'];
  permissions: string[];
  epoch: number;
  revoked: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Call {
  readonly token?: string;
  readonly body?: unknown;
  readonly raw?: string | Buffer;
  readonly headers?: Record<string, string>;
  /** Another local source address. */
  readonly localAddress?: string;
  /** For a gateway other than the started one. */
  readonly port?: number;
}

/**
 * Services with trivial handlers behind the real pipeline: certificates, actor tokens, policies, field rules.
 */
export class TestEdge {
  readonly sessions = new Map<string, TestSession>();
  readonly entries = new Map<string, vault.Entry>();
  readonly calls: { method: string; request: object; context: CallContext }[] = [];
  /** Anomalies that gateways reported to auth. */
  readonly anomalies: anomalies.AnomalyReport[] = [];
  introspections = 0;
  authAway = false;
  vaultStatus = 'ok';
  ingestAnswer: elevation.IngestElevationRequestResponse = { id: 'r1', status: 'pending', httpStatus: 0 };
  waitsEnded = 0;
  /** The commands that agents wait for. */
  happened: Promise<unknown> = new Promise(() => {});
  exportChunks: number | 'fails' | 'breaks' = 3;
  exportCancelled = false;
  /** Delays answers. */
  beforeAnswer: () => Promise<void> = async () => {};
  folder!: string;
  redisServer!: RedisServer;
  redis!: Redis;
  config!: GatewayConfig;
  gateway!: GatewayService;
  ca!: string;
  readonly accessKeys = generateKeyPairSync('ed25519');
  readonly #actorKeys = generateKeyPairSync('ed25519');
  readonly #servers: RpcServer[] = [];

  static async start(overrides: Partial<GatewayConfig> = {}): Promise<TestEdge> {
    const edge = new TestEdge();
    edge.folder = await mkdtemp(join(tmpdir(), 'claviger-gateway-'));
    await chmod(edge.folder, 0o711);
    edge.redisServer = await startRedis({
      dataDir: join(edge.folder, 'redis'),
      logFile: join(edge.folder, 'redis.log'),
    });
    const { port, password } = edge.redisServer;
    edge.redis = new Redis({
      host: '127.0.0.1',
      port,
      password,
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    // Tests stop Redis too.
    edge.redis.on('error', () => {});
    await edge.redis.connect();
    const base = await edge.#baseConfig(password);
    const peers: Record<string, string[]> = {};
    for (const name of ['auth', 'vault', 'workflow', 'audit'] as const) {
      peers[name] = [`127.0.0.1:${await edge.#serve(name, base(name))}`];
    }
    const leaf = { certFile: join(edge.folder, 'edge.crt'), keyFile: join(edge.folder, 'edge.key') };
    edge.config = configSchema.parse({
      ...base('gateway'),
      peers,
      http: { listen: '127.0.0.1:0', ...leaf, publicUrl: 'https://localhost:7101' },
      rateLimits: 'on',
      accessTokenPublicKeyFile: join(edge.folder, 'access.pub.pem'),
      ...overrides,
    });
    edge.gateway = await createGatewayService(edge.config, PATIENCE);
    // Calls wait only briefly for a connection: connect to each service now.
    const ready = async () => expect((await edge.call('GET', '/system/health/ready')).status).toBe(200);
    await vi.waitFor(ready, { timeout: 90_000, interval: 50 });
    return edge;
  }

  async #baseConfig(redisPassword: string) {
    const at = (name: string) => join(this.folder, name);
    const internal = await openCertificateAuthority(this.folder, 'internal-ca', 'Internal CA');
    const edgeCa = await openCertificateAuthority(this.folder, 'ca', 'Edge CA');
    for (const name of ['gateway', 'auth', 'vault', 'workflow', 'audit']) {
      const files = { certFile: at(`svc-${name}.crt`), keyFile: at(`svc-${name}.key`) };
      await ensureServiceCertificate(internal, 'test', name, files);
    }
    const leaf = { certFile: at('edge.crt'), keyFile: at('edge.key') };
    await ensureEdgeCertificate(edgeCa, ['localhost', '127.0.0.1'], leaf);
    this.ca = await readFile(at('ca.crt'), 'utf8');
    await writeFile(at('redis-password'), redisPassword);
    await writeFile(at('access.pub.pem'), this.accessKeys.publicKey.export({ type: 'spki', format: 'pem' }));
    return (service: string): BaseConfig => ({
      environment: 'test',
      node: `${service}-1`,
      logLevel: 'error',
      grpc: {
        ...(service === 'gateway' ? {} : { listen: '127.0.0.1:0' }),
        certFile: at(`svc-${service}.crt`),
        keyFile: at(`svc-${service}.key`),
        caFile: at('internal-ca.crt'),
      },
      health: { listen: '127.0.0.1:0' },
      peers: {},
      redis: { host: '127.0.0.1', port: this.redisServer.port, passwordFile: at('redis-password') },
      nats: { url: 'nats://127.0.0.1:1', user: service, passwordFile: at('redis-password') },
      telemetry: {},
    });
  }

  async #serve(service: string, config: BaseConfig): Promise<number> {
    const publicKeyPem = this.#actorKeys.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const server = createRpcServer({
      config,
      logger,
      verifyActor: createActorVerifier({ publicKeyPem, audience: service }),
      recordOutcome: async () => {},
    });
    server.add(cluster.HealthService, {
      getHealth: async () => ({
        service,
        node: config.node,
        version: '0.0.0',
        status: service === 'vault' ? this.vaultStatus : 'ok',
        checks: [{ name: 'database', ok: true, required: true, problem: '', latencyMs: 1 }],
      }),
    });
    if (service === 'auth') this.#addAuth(server);
    if (service === 'workflow') this.#addWorkflow(server);
    if (service === 'vault') server.add(vault.EntriesService, this.#handlers(this.#entries()));
    if (service === 'audit') {
      server.add(
        audit.AuditService,
        this.#handlers({ exportEvents: (_request: unknown, context: CallContext) => this.#export(context) }),
      );
    }
    this.#servers.push(server);
    return server.listen();
  }

  /** Methods without a handler of the test return not_found. */
  #handlers<T extends object>(given: T): never {
    const notFound = async () => {
      throw ClavigerError.notFound();
    };
    return new Proxy(given, { get: (target, key) => Reflect.get(target, key) ?? notFound }) as never;
  }

  #addAuth(server: RpcServer): void {
    server.add(anomalies.AnomaliesService, {
      reportAnomalies: async (request) => {
        if (this.authAway) throw new ClavigerError('unavailable', 'The database is away.');
        this.anomalies.push(...request.anomalies);
        return {};
      },
      getPlatformTenant: async () => ({ tenantId: TENANT }),
    });
    server.add(auth.SessionsService, {
      introspect: async (request) => {
        this.introspections += 1;
        if (this.authAway) throw new ClavigerError('unavailable', 'The database is away.');
        const given = request.credential?.value ?? '';
        const sessionId = /^cl[av]_/.test(given) ? given.slice(4) : sidOf(given);
        const session = this.sessions.get(sessionId);
        const ofAgent = request.credential?.$case === 'agentToken';
        if (!session || session.revoked || (session.kind === 'agent') !== ofAgent) {
          throw new ClavigerError('unauthenticated', 'The session has ended.', { code: 'session_ended' });
        }
        const signed = await signActorToken(actorOf(session), request.audiences, this.#actorKeys.privateKey);
        await this.redis.set(`claviger:live:{${sessionId}}`, String(session.epoch), 'EX', 60).catch(() => {});
        return {
          actorToken: signed.token,
          actorTokenExpiresAt: signed.expiresAt.toISOString(),
          sessionId,
          userId: session.userId,
          tenantId: TENANT,
          epoch: session.epoch,
          mfaPending: false,
        };
      },
    });
    server.add(
      auth.AuthService,
      this.#handlers({
        login: async (request: auth.LoginRequest, context: CallContext) => {
          this.#note('login', request, context);
          throw new ClavigerError('unauthenticated', 'User name or password is wrong.');
        },
        refresh: async (request: auth.RefreshRequest, context: CallContext) => {
          this.#note('refresh', request, context);
          context.audited = true;
          return {
            accessToken: context.actorIfAny?.userId ?? 'nobody',
            refreshToken: '',
            tokenType: '',
            expiresIn: 1,
          };
        },
      }),
    );
  }

  #entries() {
    const known = (id: string): vault.Entry => {
      const entry = this.entries.get(id);
      if (!entry) throw ClavigerError.notFound();
      return entry;
    };
    return {
      getEntry: async (request: vault.GetEntryRequest, context: CallContext) => {
        this.#note('getEntry', request, context);
        await this.beforeAnswer();
        return { entry: known(request.entryId) };
      },
      listEntries: async (request: vault.ListEntriesRequest, context: CallContext) => {
        this.#note('listEntries', request, context);
        const items = [...this.entries.values()];
        return { items, page: 1, pageSize: request.pageSize ?? 25, totalItems: items.length, totalPages: 1 };
      },
      createEntry: async (request: vault.CreateEntryRequest, context: CallContext) => {
        this.#note('createEntry', request, context);
        context.audited = true;
        const entry = entryOf(randomUUID(), request.name);
        this.entries.set(entry.id, entry);
        return { entry };
      },
      updateEntry: async (request: vault.UpdateEntryRequest, context: CallContext) => {
        this.#note('updateEntry', request, context);
        const entry = known(request.entryId);
        if (request.rowVersion !== undefined && request.rowVersion !== entry.rowVersion) {
          throw new ClavigerError('precondition_failed', 'The entry has changed since.');
        }
        context.audited = true;
        entry.rowVersion += 1;
        return { entry };
      },
      deleteEntry: async (request: vault.DeleteEntryRequest, context: CallContext) => {
        this.#note('deleteEntry', request, context);
        known(request.entryId);
        context.audited = true;
        return {};
      },
      retrieveEntry: async (request: vault.RetrieveEntryRequest, context: CallContext) => {
        this.#note('retrieveEntry', request, context);
        const { id, username } = known(request.entryId);
        context.audited = true;
        return {
          entryId: id,
          version: 1,
          username,
          secret: 's3cret',
          rotationState: 'idle',
          receipt: undefined,
        };
      },
      putShare: async () => {
        throw new Error('a failure that quotes s3cret');
      },
    };
  }

  #addWorkflow(server: RpcServer): void {
    server.add(
      elevation.AgentElevationsService,
      this.#handlers({
        ingestElevationRequest: async (
          request: elevation.IngestElevationRequestRequest,
          context: CallContext,
        ) => {
          this.#note('ingest', request, context);
          context.audited = true;
          return this.ingestAnswer;
        },
        fetchAgentCommands: async (request: elevation.FetchAgentCommandsRequest, context: CallContext) => {
          this.#note('fetchCommands', request, context);
          if (request.waitSeconds) {
            const left = new Promise((resolve) => context.signal.addEventListener('abort', resolve));
            await Promise.race([left, this.happened]);
            this.waitsEnded += 1;
          }
          return { commands: [] };
        },
      }),
    );
    server.add(
      elevation.ElevationRequestsService,
      this.#handlers({
        listElevationRequests: async () => ({
          success: true,
          requests: [{ ...elevation.ElevationRequest.decode(new Uint8Array()), id: 'r1', toolName: 'shell' }],
          pagination: { page: 1, limit: 50, total: 1 },
          nextCursor: undefined,
        }),
      }),
    );
    server.add(
      rules.PamRulesService,
      this.#handlers({
        updateRule: async (request: rules.UpdateRuleRequest, context: CallContext) => {
          this.#note('updateRule', request, context);
          context.audited = true;
          return { rule: { ...rules.PamRule.decode(new Uint8Array()), id: request.id, rowVersion: 2 } };
        },
      }),
    );
  }

  async *#export(context: CallContext) {
    context.audited = true;
    if (this.exportChunks === 'fails') throw new ClavigerError('unavailable', 'The audit log is away.');
    try {
      for (let index = 0; index < (this.exportChunks === 'breaks' ? 2 : this.exportChunks); index++) {
        yield {
          contentType: 'text/csv; charset=utf-8',
          data: Buffer.alloc(65_536, `${index}`),
          extensions: [],
        };
      }
      if (this.exportChunks === 'breaks') throw new Error('broken in the middle');
    } finally {
      this.exportCancelled = true;
    }
  }

  #note(method: string, request: object, context: CallContext): void {
    this.calls.push({ method, request, context });
  }

  /** A session that auth knows, with its access token. */
  async signIn(permissions: string[] = ['*']): Promise<{ session: TestSession; token: string }> {
    const session = this.#session(randomUUID(), 'user', permissions);
    return { session, token: await this.accessToken(session) };
  }

  /** An agent token of a device; each call issues a further one. */
  enrol(deviceId: string = randomUUID()): { session: TestSession; token: string; deviceId: string } {
    const session = this.#session(deviceId, 'agent', []);
    return { session, token: `cla_${session.sessionId}`, deviceId };
  }

  #session(userId: string, kind: Actor['kind'], permissions: string[]): TestSession {
    const session = { sessionId: randomUUID(), userId, kind, permissions, epoch: 1, revoked: false };
    this.sessions.set(session.sessionId, session);
    return session;
  }

  accessToken(session: TestSession, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt): Promise<string> {
    const jwt = new SignJWT({ sid: session.sessionId, tid: TENANT, epoch: session.epoch })
      .setProtectedHeader({ alg: 'EdDSA', kid: keyIdOf(this.accessKeys.publicKey), typ: 'at+jwt' })
      .setIssuer('claviger-auth')
      .setAudience('claviger-api')
      .setSubject(session.userId)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('5m');
    return change(jwt).sign(this.accessKeys.privateKey);
  }

  addEntry(name = 'root on db-1'): vault.Entry {
    const entry = entryOf(randomUUID(), name);
    this.entries.set(entry.id, entry);
    return entry;
  }

  call(method: string, path: string, options: Call = {}): Promise<Answer> {
    const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const headers = {
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...options.headers,
    };
    return new Promise((resolve, reject) => {
      const port = options.port ?? this.gateway.httpPort;
      const request = httpsRequest(
        { host: '127.0.0.1', port, method, path, headers, ca: this.ca, localAddress: options.localAddress },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== '';
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              text,
              json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
            });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /**
   * Sends exactly these bytes. Returns everything received until the connection ends or the time has passed.
   */
  raw(bytes: string | Buffer, leave?: { until: () => boolean }, localAddress?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { httpPort: port } = this.gateway;
      const socket = connect(
        { host: '127.0.0.1', port, ca: this.ca, localAddress } as ConnectionOptions,
        () => socket.write(bytes),
      );
      const watch = leave && setInterval(() => leave.until() && socket.destroy(), 20);
      socket.once('close', () => clearInterval(watch));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', (error) => (text === '' ? reject(error) : resolve(text)));
      socket.on('close', () => resolve(text));
    });
  }

  async stop(): Promise<void> {
    await this.gateway?.[Symbol.asyncDispose]();
    await Promise.all(this.#servers.map((server) => server.drain(1_000)));
    this.redis?.disconnect();
    await this.redisServer?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function sidOf(accessToken: string): string {
  const payload = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(payload) as { sid: string }).sid;
}

function actorOf(session: TestSession): Actor {
  return {
    userId: session.userId,
    userName: 'alice',
    tenantId: TENANT,
    sessionId: session.sessionId,
    kind: session.kind,
    permissions: new Set(session.permissions),
    roles: [],
    mfaPending: false,
    platform: false,
    mfaAt: Math.floor(Date.now() / 1_000),
  };
}

function entryOf(id: string, name: string): vault.Entry {
  return {
    ...vault.Entry.decode(new Uint8Array()),
    id,
    name,
    type: 'password',
    username: 'root',
    rowVersion: 1,
    createdAt: '2026-01-31T12:00:00.000Z',
  };
}
