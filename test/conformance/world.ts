import { randomUUID } from 'node:crypto';
import { type PostgresTarget, startPostgresTarget } from '@claviger/targets';
import {
  enrolSecondFactor,
  eventually,
  type Network,
  type RestClient,
  type TestTenant,
  type TestUser,
} from '@claviger/testkit';

/** A tenant with at least one real object of every kind, on a real PostgreSQL target. */
export interface World extends AsyncDisposable {
  readonly tenant: TestTenant;
  readonly admin: RestClient;
  /** An administrator of the tenant who has just proved a second factor. */
  readonly steppedUp: RestClient;
  /** An administrator of the tenant that runs the installation, likewise. */
  readonly platform: RestClient;
  readonly requester: TestUser;
  readonly approver: TestUser;
  /** Only this user reads the log here, so that no read repeats one of another test. */
  readonly auditor: TestUser;
  readonly target: PostgresTarget;
  readonly moduleId: string;
  readonly resourceId: string;
  readonly entryId: string;
  readonly rotationId: string;
  readonly userId: string;
  readonly roleId: string;
  readonly apiTokenId: string;
  readonly requestId: string;
  readonly grantId: string;
  readonly eventId: string;
  readonly siteId: string;
  /** In that site. */
  readonly deviceId: string;
  /** The agent of that device. */
  readonly agent: RestClient;
  /** For states that no operation causes. */
  readonly superuser: Network['superuser'];
  /** A new resource without entries. */
  createResource(): Promise<string>;
  /** A new entry; with a real account on the target unless `detached`. */
  createEntry(options?: { detached?: boolean }): Promise<string>;
  createModule(): Promise<string>;
  createRequest(entryId?: string): Promise<string>;
  /** An active grant of the requester on a new account. */
  createGrant(): Promise<{ grantId: string; entryId: string }>;
  createUser(): Promise<TestUser>;
  /** A new device in the site, and its agent. */
  createDevice(): Promise<{ deviceId: string; agent: RestClient }>;
}

export async function buildWorld(network: Network): Promise<World> {
  const target = await startPostgresTarget();
  await network.openTargets(target.port);
  const tenant = await network.createTenant();
  const admin = tenant.admin.client;
  const [requester, approver, auditor] = await Promise.all([
    tenant.createUser(['requester']),
    tenant.createUser(['approver']),
    tenant.createUser(['auditor']),
  ]);
  const [steppedUp, platform] = await Promise.all([
    tenant.createUser(['administrator']),
    network.createPlatformAdministrator(),
  ]);
  await enrolSecondFactor(steppedUp.client);
  const id = async (path: string, body: object): Promise<string> =>
    (await admin.must('POST', path, body)).id as string;
  const unique = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

  const createModule = (): Promise<string> =>
    id('/api/v1/modules', {
      name: unique('postgres'),
      type: 'postgres',
      config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [target.port] },
    });
  const moduleId = await createModule();
  const createResource = (): Promise<string> =>
    id('/api/v1/resources', {
      name: unique('db'),
      type: 'database',
      moduleId,
      host: target.host,
      port: target.port,
      settings: { database: target.database, tls: { mode: 'disable' } },
    });
  const resourceId = await createResource();
  const createEntry: World['createEntry'] = async ({ detached = false } = {}) => {
    const username = unique('app').replaceAll('-', '_');
    const secret = `first-${randomUUID()}`;
    if (!detached) await target.createRole(username, secret);
    return id('/api/v1/vault/entries', { name: unique('account'), resourceId, username, secret });
  };
  const adminSecretEntry = await id('/api/v1/vault/entries', {
    name: unique('admin'),
    resourceId,
    username: target.admin.username,
    secret: target.admin.password,
  });
  await admin.must('PUT', `/api/v1/resources/${resourceId}`, { adminEntryId: adminSecretEntry });
  const entryId = await createEntry();
  const createRequest = async (entry?: string): Promise<string> => {
    const answer = await requester.client.must('POST', '/api/v1/requests', {
      entryId: entry ?? (await createEntry()),
      reason: 'conformance',
      durationMinutes: 30,
    });
    return answer.id as string;
  };
  const createGrant: World['createGrant'] = async () => {
    const entry = await createEntry();
    const request = await createRequest(entry);
    const approved = await approver.client.must('POST', `/api/v1/requests/${request}/approve`, {});
    return { grantId: approved.grantId as string, entryId: entry };
  };
  const rotation = await admin.must('POST', `/api/v1/vault/entries/${entryId}/rotate`, {
    reason: 'conformance',
  });
  await eventually(async () => {
    const now = await admin.must('GET', `/api/v1/vault/entries/${entryId}/rotations/${rotation.id}`);
    if (now.state !== 'verified') throw new Error(`the rotation is ${now.state}: ${now.problem}`);
  });
  await admin.must('PUT', `/api/v1/vault/entries/${entryId}/shares/${requester.id}`, { access: 'view' });
  const { grantId } = await createGrant();
  // Events are in the log after ingestion, and can be proved after sequencing.
  const eventId = await eventually(async () => {
    const { items } = await admin.must('GET', '/api/v1/audit/events?pageSize=100');
    const sealed = (items as { id: string; sequence?: number }[]).find(
      (event) => event.sequence !== undefined,
    );
    if (!sealed) throw new Error('the log is still empty');
    return sealed.id;
  });
  const siteId = await id('/api/v1/sites', { name: unique('site') });
  const createDevice: World['createDevice'] = async () => {
    const enrolled = await admin.must('POST', '/api/v1/devices', { hostname: unique('PC'), siteId });
    return {
      deviceId: (enrolled.device as { id: string }).id,
      agent: network.anonymous.as(enrolled.agentToken as string),
    };
  };
  const device = await createDevice();
  return {
    tenant,
    admin,
    steppedUp: steppedUp.client,
    platform: platform.client,
    requester,
    approver,
    auditor,
    target,
    moduleId,
    resourceId,
    entryId,
    rotationId: rotation.id as string,
    userId: requester.id,
    roleId: await id('/api/v1/roles', { name: unique('role'), permissions: ['resources.read'] }),
    apiTokenId: (
      (await admin.must('POST', '/api/v1/api-tokens', { name: 'robot' })).apiToken as { id: string }
    ).id,
    requestId: await createRequest(),
    grantId,
    eventId,
    siteId,
    ...device,
    superuser: network.superuser,
    createResource,
    createEntry,
    createModule,
    createRequest,
    createGrant,
    createDevice,
    createUser: () => tenant.createUser(['requester']),
    [Symbol.asyncDispose]: () => target.stop(),
  };
}
