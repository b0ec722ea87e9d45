import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import * as audit from '@claviger/contracts/audit/v1/audit';
import * as calls from '@claviger/contracts/cluster/v1/calls';
import * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { issueLeaf, issueServiceCertificate, writeAtomically } from '@claviger/identity';
import { Client, Metadata } from '@grpc/grpc-js';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { CallContext } from './call-context.ts';
import type { Peers } from './client.ts';
import { createPeers } from './client.ts';
import { channelCredentials } from './credentials.ts';
import { createLogger } from './logger.ts';
import { createRpcServer } from './server.ts';
import { startTestServices, TENANT, type TestServices } from './test-services.ts';

let kit: TestServices;
beforeAll(async () => {
  kit = await startTestServices();
});
afterAll(() => kit?.[Symbol.asyncDispose]());
beforeEach(() => {
  kit.outcomes.length = 0;
  kit.anomalies.length = 0;
});

const entries = vault.EntriesService;
const answer = { entry: undefined };

async function gateway(handlers: Record<string, unknown>, caller = 'gateway') {
  const { server, port } = await kit.serve(handlers);
  const peers = await kit.callerOf(caller, [port]);
  return { server, port, peers, client: peers.client('vault', entries) };
}

/** The error of a call, as its caller sees it. */
async function failureOf(call: Promise<unknown>): Promise<ClavigerError> {
  const error = await call.then(
    () => expect.fail('the call should have failed'),
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(ClavigerError);
  return error as ClavigerError;
}

const get = { entryId: 'x' };
/** For messages that arrive at once on an idle machine. */
const PATIENT = { timeout: 90_000 };

test('a call of the gateway reaches its handler with actor, source address and deadline', async () => {
  let seen: CallContext | undefined;
  const { client } = await gateway({
    getEntry: async (_: unknown, context: CallContext) => {
      seen = context;
      return answer;
    },
  });
  const actorToken = await kit.token();
  const deadline = new Date(Date.now() + 40_000);
  const options = { requestId: 'r-1', sourceAddress: '192.0.2.1', deadline, timeoutMs: 90_000 };
  await client.getEntry(get, { actorToken, ...options });
  expect(seen).toMatchObject({
    caller: 'gateway',
    tenantId: TENANT,
    requestId: 'r-1',
    sourceAddress: '192.0.2.1',
  });
  expect(seen!.actor.userName).toBe('alice');
  // The remaining time is sent, so that clocks need not agree; without it there would be ninety seconds.
  expect(Math.abs(seen!.deadline.getTime() - deadline.getTime())).toBeLessThan(40_000);
});

test('a service that is not a caller of the method is refused with any token', async () => {
  const { port } = await kit.serve({ getEntry: async () => answer });
  const actorToken = await kit.token();
  for (const caller of ['auth', 'audit', 'operator']) {
    const client = (await kit.callerOf(caller, [port])).client('vault', entries);
    expect((await failureOf(client.getEntry(get, { actorToken }))).reason).toBe('denied');
    expect(kit.anomalies.at(-1)).toEqual({
      alert: 'internal_call_refused',
      subject: { type: 'service', id: caller },
      details: { method: entries.getEntry.path },
    });
  }
});

test('the handshake refuses a certificate of another CA', async () => {
  let reached = false;
  const { port } = await kit.serve({
    getEntry: async () => {
      reached = true;
      return answer;
    },
  });
  const stranger = await kit.callerOf('gateway', [port], kit.strangers);
  const call = stranger
    .client('vault', entries)
    .getEntry(get, { actorToken: await kit.token(), timeoutMs: 1_000 });
  expect(['unavailable', 'deadline_exceeded']).toContain((await failureOf(call)).reason);
  expect(reached).toBe(false);
  await vi.waitFor(
    () =>
      expect(kit.anomalies).toContainEqual({
        alert: 'internal_certificate_refused',
        subject: { type: 'address', id: '127.0.0.1' },
        details: { side: 'client', problem: expect.stringMatching(/CERT|SIGNATURE|ISSUER/) },
      }),
    PATIENT,
  );
});

test('a peer without a certificate is reported; a connection without a handshake is not', async () => {
  const { port } = await kit.serve({});
  const { connect } = await import('node:net');
  const tls = await import('node:tls');
  const closed = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      socket.on('error', () => {});
      socket.once('close', () => resolve());
      socket.resume();
    });
  const passing = connect(port, '127.0.0.1', () => passing.end());
  await closed(passing);
  await closed(
    tls.connect({
      host: '127.0.0.1',
      port,
      ca: kit.authority.certificatePem,
      checkServerIdentity: () => undefined,
    }),
  );
  const refused = () =>
    kit.anomalies.filter(({ details }) => !/LEAF|ISSUER|SELF/.test(String(details.problem)));
  await vi.waitFor(() => expect(refused()).toHaveLength(1), PATIENT);
  expect(refused()).toMatchObject([{ details: { problem: 'NO_CERTIFICATE' } }]);
});

const OURS = 'spiffe://claviger/test/svc/gateway';
const url = (value: string) => ({ type: 'url', value }) as const;
test.each([
  ['a second URI', [url(OURS), url('spiffe://claviger/test/svc/vault')]],
  ['the same URI twice', [url(OURS), url(OURS)]],
  ['a DNS name beside it', [url(OURS), { type: 'dns', value: 'gateway' } as const]],
  ['an address beside it', [{ type: 'ip', value: '127.0.0.1' } as const, url(OURS)]],
  ['another case', [url('spiffe://claviger/test/svc/Gateway')]],
  ['another scheme’s case', [url('SPIFFE://claviger/test/svc/gateway')]],
  ['a longer path', [url(`${OURS}/x`)]],
  ['a slash at the end', [url(`${OURS}/`)]],
  ['a query', [url(`${OURS}?`)]],
  ['an escaped letter', [url('spiffe://claviger/test/svc/%67ateway')]],
  ['a comma in the URI', [url(`${OURS}, URI:${OURS}`)]],
  ['another trust domain', [url('spiffe://claviger.test/test/svc/gateway')]],
  ['an unknown service name', [url('spiffe://claviger/test/svc/gatewayx')]],
  ['the URI as a DNS name', [{ type: 'dns', value: OURS } as const]],
  ['the common name alone', [{ type: 'email', value: 'gateway@example.org' } as const]],
])('a certificate of our CA with %s names no service and is reported', async (_, names) => {
  const { port } = await kit.serve({ getEntry: async () => expect.fail('was reached') });
  const config = await kit.configOf('gateway');
  const leaf = await issueLeaf(kit.authority, {
    commonName: 'gateway',
    names: [...names],
    usages: ['server', 'client'],
    ttlSeconds: 600,
  });
  await writeAtomically(config.grpc.certFile, leaf.certificatePem);
  await writeAtomically(config.grpc.keyFile, leaf.privateKeyPem);
  const peers = createPeers({ ...config, peers: { vault: [`127.0.0.1:${port}`] } });
  const call = peers.client('vault', entries).getEntry(get, { actorToken: await kit.token() });
  expect((await failureOf(call)).reason).toBe('denied');
  peers.close();
  const fingerprint = new X509Certificate(leaf.certificatePem).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
  // Clients of other tests may still connect with their certificates.
  const named = kit.anomalies.filter(({ details }) => details.problem === 'NAMES_NO_SERVICE');
  expect(named).toMatchObject([
    {
      alert: 'internal_certificate_refused',
      subject: { type: 'certificate', id: fingerprint },
      details: { side: 'client', problem: 'NAMES_NO_SERVICE' },
    },
  ]);
});

test('a client refuses a server whose certificate names another service or is of another CA', async () => {
  const handlers = { getEntry: async () => expect.fail('was reached') };
  const { port: impostor } = await kit.serve(handlers, 'workflow');
  const peers = await kit.callerOf('gateway', [impostor]);
  const call = peers.client('vault', entries).getEntry(get, { timeoutMs: 1_000 });
  expect(['unavailable', 'deadline_exceeded']).toContain((await failureOf(call)).reason);
  // The client of an earlier test may still try to connect, and be refused by its server.
  expect(kit.anomalies).toContainEqual(
    expect.objectContaining({
      alert: 'internal_certificate_refused',
      details: expect.objectContaining({
        side: 'server',
        expected: 'vault',
        names: 'URI:spiffe://claviger/test/svc/workflow',
      }),
    }),
  );
});

test('a certificate of another environment is refused', async () => {
  const { port } = await kit.serve({ getEntry: async () => answer });
  const config = await kit.configOf('gateway');
  const leaf = await issueServiceCertificate(kit.authority, 'production', 'gateway');
  await writeAtomically(config.grpc.certFile, leaf.certificatePem);
  await writeAtomically(config.grpc.keyFile, leaf.privateKeyPem);
  const peers = createPeers({ ...config, peers: { vault: [`127.0.0.1:${port}`] } });
  const call = peers.client('vault', entries).getEntry(get, { actorToken: await kit.token() });
  expect((await failureOf(call)).reason).toBe('denied');
  peers.close();
});

test('H-322 actor tokens with another audience, key, algorithm, type or issuer, and expired ones, are refused', async () => {
  const { client } = await gateway({ getEntry: async () => expect.fail('was reached') });
  const other = generateKeyPairSync('ed25519').privateKey;
  const claims = { tid: TENANT, sid: 's', perms: ['*'], roles: [], mfa: 0 };
  const forged = (typ: string, issuer: string, issuedAt: number) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ })
      .setIssuer(issuer)
      .setSubject('u')
      .setAudience('vault')
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 60)
      .sign(kit.actorKey);
  const now = Math.floor(Date.now() / 1000);
  const hmac = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'actor+jwt' })
    .setIssuer('claviger-auth')
    .setSubject('u')
    .setAudience('vault')
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(Buffer.alloc(32, 1));
  const [, payload] = hmac.split('.');
  const unsigned = `${Buffer.from('{"alg":"none","typ":"actor+jwt"}').toString('base64url')}.${payload}.`;
  /** A valid token, except for one claim that was changed under its signature. */
  const altered = async (change: object) => {
    const [header, body, signature] = (await kit.token()).split('.');
    const own = JSON.parse(Buffer.from(body!, 'base64url').toString()) as object;
    return `${header}.${Buffer.from(JSON.stringify({ ...own, ...change })).toString('base64url')}.${signature}`;
  };
  const tokens = [
    await kit.token({}, ['workflow']),
    await kit.token({}, ['vault'], other),
    await forged('at+jwt', 'claviger-auth', now),
    await forged('actor+jwt', 'somebody', now),
    await forged('actor+jwt', 'claviger-auth', now - 3_600),
    hmac,
    unsigned,
    await altered({ tid: randomUUID() }),
    await altered({ sub: 'somebody-else' }),
    'garbage',
  ];
  for (const actorToken of tokens) {
    expect((await failureOf(client.getEntry(get, { actorToken }))).reason).toBe('unauthenticated');
  }
  expect((await failureOf(client.getEntry(get))).reason).toBe('unauthenticated');
});

test('the permission of the policy is required; a wildcard covers the permissions below it', async () => {
  const { client } = await gateway({ getEntry: async () => answer });
  const call = async (permissions: string[]) =>
    client.getEntry(get, { actorToken: await kit.token({ permissions: new Set(permissions) }) });
  for (const granted of [
    [],
    ['vault.entries'],
    ['vault.entries.rea'],
    ['vault.entries.retrieve'],
    ['vault.entries.read.*'],
    ['vaul.*'],
  ])
    expect(await failureOf(call(granted))).toMatchObject({ reason: 'denied' });
  for (const granted of [['vault.entries.read'], ['vault.entries.*'], ['vault.*'], ['*']])
    await call(granted);
});

test('a session without its second factor is refused', async () => {
  const { client } = await gateway({ getEntry: async () => answer });
  const call = client.getEntry(get, { actorToken: await kit.token({ mfaPending: true }) });
  expect(await failureOf(call)).toMatchObject({ reason: 'unauthenticated', code: 'mfa_required' });
});

test('problems of a request name the field, without its value', async () => {
  const { client } = await gateway({ retrieveEntry: async () => expect.fail('was reached') });
  const request = { entryId: '', reason: 'line\nbreak', ticket: 'x'.repeat(300), version: 0 };
  const error = await failureOf(client.retrieveEntry(request, { actorToken: await kit.token() }));
  expect(error.reason).toBe('invalid');
  expect(error.fields.map((field) => field.pointer).sort()).toEqual([
    '/entryId',
    '/reason',
    '/ticket',
    '/version',
  ]);
  expect(JSON.stringify(error.fields)).not.toMatch(/xxx|break\b.*line/);
});

const retrieve = { entryId: 'x', reason: '', ticket: '', version: undefined };

test('an audited method without its event fails, and its answer is not sent', async () => {
  const { client } = await gateway({ retrieveEntry: async () => ({ value: 'canary-7f31' }) });
  const error = await failureOf(client.retrieveEntry(retrieve, { actorToken: await kit.token() }));
  expect(error).toMatchObject({ reason: 'internal' });
  expect(error.hint).toContain(error.correlationId);
  expect(JSON.stringify(error)).not.toContain('canary-7f31');
});

test('denied, invalid and failed calls of an audited method record an event; others record none', async () => {
  const { client } = await gateway({
    retrieveEntry: async () => {
      throw ClavigerError.notFound();
    },
    getEntry: async () => {
      throw ClavigerError.notFound();
    },
  });
  await failureOf(
    client.retrieveEntry(retrieve, { actorToken: await kit.token({ permissions: new Set() }) }),
  );
  await failureOf(client.retrieveEntry({ ...retrieve, entryId: '' }, { actorToken: await kit.token() }));
  await failureOf(client.retrieveEntry(retrieve, { actorToken: await kit.token() }));
  await failureOf(client.getEntry(get, { actorToken: await kit.token() }));
  const all = { method: 'RetrieveEntry', tenantId: TENANT };
  expect(kit.outcomes).toEqual([
    { ...all, outcome: 'denied', reason: 'denied' },
    { ...all, outcome: 'failed', reason: 'invalid' },
    { ...all, outcome: 'failed', reason: 'not_found' },
  ]);
});

test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'])(
  'a disk that fails with %s is an outage, not a defect',
  async (code) => {
    const { client } = await gateway({
      getEntry: async () => {
        throw Object.assign(new Error('write /canary-path'), { code });
      },
    });
    const error = await failureOf(client.getEntry(get, { actorToken: await kit.token() }));
    expect(error).toMatchObject({ reason: 'unavailable', retryAfterSeconds: 5 });
    expect(JSON.stringify(error)).not.toContain('canary');
  },
);

test('H-291 a ClavigerError reaches the caller unchanged; any other error becomes internal without its cause', async () => {
  const thrown = new ClavigerError('conflict', 'It was decided already.', {
    code: 'wrong_status',
    fields: [{ pointer: '/status', detail: 'is decided' }],
    hint: 'Read it again.',
    retryAfterSeconds: 3,
    cause: new Error('canary-cause'),
  });
  let next: unknown = thrown;
  const { client } = await gateway({
    getEntry: async () => {
      throw next;
    },
  });
  const actorToken = await kit.token();
  const conflict = await failureOf(client.getEntry(get, { actorToken, requestId: 'r-2' }));
  expect(conflict).toMatchObject({
    reason: 'conflict',
    message: 'It was decided already.',
    code: 'wrong_status',
    fields: [{ pointer: '/status', detail: 'is decided' }],
    hint: 'Read it again.',
    retryAfterSeconds: 3,
    correlationId: 'r-2',
  });
  next = Object.assign(new Error('canary-message'), { detail: 'canary-detail' });
  const internal = await failureOf(client.getEntry(get, { actorToken }));
  expect(internal.reason).toBe('internal');
  const circular = Object.assign(new Error('canary-circle'), { self: {} });
  circular.self = circular;
  const odd: ClavigerError[] = [];
  for (next of [undefined, null, 'canary-text', circular])
    odd.push(await failureOf(client.getEntry(get, { actorToken, requestId: 'r-3' })));
  const { client: sudden } = await gateway({
    getEntry: () => {
      throw circular;
    },
  });
  odd.push(await failureOf(sudden.getEntry(get, { actorToken, requestId: 'r-3' })));
  for (const error of odd) expect(error).toMatchObject({ reason: 'internal', correlationId: 'r-3' });
  for (const error of [conflict, internal, ...odd]) {
    const { cause, ...own } = error as ClavigerError & { cause: Error };
    expect(JSON.stringify([own, error.message, cause?.message])).not.toContain('canary');
  }
});

test('an internal method requires its caller and its tenant, not an actor', async () => {
  const { port } = await kit.serve({
    describeResource: async (_: unknown, context: CallContext) => ({ name: context.tenantId }),
  });
  const workflow = (await kit.callerOf('workflow', [port])).client('vault', vault.EntitlementsService);
  const request = { resourceId: 'x' };
  await workflow.describeResource(request, { tenantId: TENANT });
  expect((await failureOf(workflow.describeResource(request))).reason).toBe('invalid');
  const other = (await kit.callerOf('gateway', [port])).client('vault', vault.EntitlementsService);
  expect((await failureOf(other.describeResource(request, { tenantId: TENANT }))).reason).toBe('denied');
});

test('a service with a method that has no handler does not start', async () => {
  const server = createRpcServer({
    config: await kit.configOf('vault'),
    logger: createLogger({ service: 'vault', node: 'vault-1', level: 'silent' }),
    verifyActor: async () => expect.fail(),
    recordOutcome: async () => {},
  });
  expect(() => server.add(entries, {} as never)).toThrow(/ListEntries has no handler/);
});

test('cancelling a call, or its deadline, aborts the signal of the handler', async () => {
  const aborted: string[] = [];
  let started = 0;
  const { client } = await gateway({
    getEntry: (request: { entryId: string }, context: CallContext) =>
      new Promise((_, reject) => {
        started += 1;
        context.signal.addEventListener('abort', () => {
          aborted.push(request.entryId);
          reject(new ClavigerError('unavailable', 'given up'));
        });
      }),
  });
  const actorToken = await kit.token();
  const giveUp = new AbortController();
  const [cancelled, late] = [randomUUID(), randomUUID()];
  const call = client.getEntry({ entryId: cancelled }, { actorToken, signal: giveUp.signal });
  await vi.waitFor(() => expect(started).toBe(1), PATIENT);
  giveUp.abort();
  expect((await failureOf(call)).reason).toBe('unavailable');
  await vi.waitFor(() => expect(aborted).toEqual([cancelled]), PATIENT);
  // Repeated if the deadline passes before the call reaches its handler.
  await vi.waitFor(async () => {
    const call = client.getEntry({ entryId: late }, { actorToken, timeoutMs: 500 });
    expect((await failureOf(call)).reason).toBe('deadline_exceeded');
    expect(aborted).toContain(late);
  }, PATIENT);
  const before = started;
  const already = client.getEntry(get, { actorToken, signal: AbortSignal.abort() });
  expect((await failureOf(already)).reason).toBe('unavailable');
  expect(started).toBe(before);
});

test('the loss of a client aborts the signals of its calls', async () => {
  let aborted = false;
  let started = false;
  const { client, peers } = await gateway({
    getEntry: (_: unknown, context: CallContext) =>
      new Promise((resolve) => {
        started = true;
        context.signal.addEventListener('abort', () => {
          aborted = true;
          resolve(answer);
        });
      }),
  });
  const call = failureOf(client.getEntry(get, { actorToken: await kit.token() }));
  await vi.waitFor(() => expect(started).toBe(true), PATIENT);
  peers.close();
  await call;
  await vi.waitFor(() => expect(aborted).toBe(true), PATIENT);
});

test('an unreachable server is unavailable, not an error of the caller', async () => {
  const { server, port, client } = await gateway({ getEntry: async () => answer });
  const actorToken = await kit.token();
  await client.getEntry(get, { actorToken });
  await server.drain(1_000);
  const error = await failureOf(client.getEntry(get, { actorToken, timeoutMs: 2_000 }));
  expect(['unavailable', 'deadline_exceeded']).toContain(error.reason);
  expect(error.retryAfterSeconds).toBe(1);
  expect(port).toBeGreaterThan(0);
});

test('draining lets running calls finish, and other replicas get the new ones', async () => {
  const [slow, first, later] = [randomUUID(), randomUUID(), randomUUID()];
  const gates: (() => void)[] = [];
  const served: string[] = [];
  const handlers = (name: string) => ({
    getEntry: async (request: { entryId: string }) => {
      served.push(`${name}:${request.entryId}`);
      if (request.entryId === slow) await new Promise<void>((resolve) => gates.push(resolve));
      return answer;
    },
  });
  const a = await kit.serve(handlers('a'));
  const peersA = await kit.callerOf('gateway', [a.port]);
  const actorToken = await kit.token();
  const running = peersA.client('vault', entries).getEntry({ entryId: slow }, { actorToken });
  await vi.waitFor(() => expect(gates.length).toBe(1), PATIENT);
  const drained = a.server.drain(60_000);
  const b = await kit.serve(handlers('b'));
  const both = (await kit.callerOf('gateway', [a.port, b.port])).client('vault', entries);
  await vi.waitFor(
    async () => void (await both.getEntry({ entryId: first }, { actorToken, timeoutMs: 500 })),
    PATIENT,
  );
  gates[0]!();
  await running;
  await drained;
  for (let n = 0; n < 10; n += 1) await both.getEntry({ entryId: later }, { actorToken });
  expect(served.filter((each) => each.endsWith(later))).toEqual(Array(10).fill(`b:${later}`));
});

test('a drain that takes too long cancels the running calls', async () => {
  let aborted = false;
  let started = false;
  const { server, client } = await gateway({
    getEntry: (_: unknown, context: CallContext) =>
      new Promise(() => {
        started = true;
        context.signal.addEventListener('abort', () => {
          aborted = true;
        });
      }),
  });
  const call = failureOf(client.getEntry(get, { actorToken: await kit.token() }));
  await vi.waitFor(() => expect(started).toBe(true), PATIENT);
  await server.drain(100);
  expect((await call).reason).toBe('unavailable');
  await vi.waitFor(() => expect(aborted).toBe(true), PATIENT);
});

test('concurrent large and small calls each get their own answer over the shared stream', async () => {
  const { client } = await gateway({
    getEntry: async (request: { entryId: string }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return {
        entry: { ...vault.Entry.decode(Buffer.alloc(0)), name: request.entryId, notes: 'n'.repeat(40_000) },
      };
    },
  });
  const actorToken = await kit.token();
  const names = Array.from({ length: 300 }, () => randomUUID());
  const results = await Promise.all(names.map((entryId) => client.getEntry({ entryId }, { actorToken })));
  expect(results.map((result) => result.entry?.name)).toEqual(names);
});

test('a request beyond the limit is refused; concurrent calls are answered', async () => {
  let release: (() => void) | undefined;
  const { client } = await gateway({
    getEntry: async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return answer;
    },
  });
  const actorToken = await kit.token();
  const beside = client.getEntry(get, { actorToken });
  await vi.waitFor(() => expect(release).toBeDefined(), PATIENT);
  const huge = client.getEntry({ entryId: 'x'.repeat(5_000_000) }, { actorToken });
  expect((await failureOf(huge)).reason).toBe('payload_too_large');
  release!();
  await beside;
});

test('a proxy in the environment is not used between services', async () => {
  process.env.grpc_proxy = 'http://127.0.0.1:1';
  try {
    const { client } = await gateway({ getEntry: async () => answer });
    await client.getEntry(get, { actorToken: await kit.token() });
  } finally {
    delete process.env.grpc_proxy;
  }
});

/** The frames of a call stream, without the client of this package. */
async function openRawStream(port: number) {
  const raw = new Client(`127.0.0.1:${port}`, channelCredentials(await kit.configOf('gateway'), 'vault'), {
    'grpc.ssl_target_name_override': 'vault',
  });
  const { open } = calls.CallsService;
  const stream = raw.makeBidiStreamRequest(
    open.path,
    open.requestSerialize,
    open.responseDeserialize,
    new Metadata(),
  );
  const frames: calls.CallFrame[] = [];
  stream.on('data', (message: calls.CallFrames) => frames.push(...message.frames));
  stream.on('error', () => {});
  const frame = {
    metadata: [],
    timeoutMs: 1_000,
    cancel: false,
    statusCode: 0,
    statusDetails: Buffer.alloc(0),
  };
  return { raw, stream, frames, frame };
}

test('a draining server answers a call that was already sent', async () => {
  const { server, port } = await gateway({});
  const { raw, stream, frames, frame } = await openRawStream(port);
  await expect.poll(() => frames.length, PATIENT).toBe(1);
  stream.on('data', (message: calls.CallFrames) => {
    if (!message.frames.some(({ id, cancel }) => id === 0 && cancel)) return;
    // The client sent this before it learned that the server drains.
    stream.write({ frames: [{ ...frame, id: 1, path: '/none', payload: Buffer.alloc(0) }] });
  });
  const drained = server.drain(60_000);
  await expect.poll(() => frames.map(({ id }) => id), PATIENT).toEqual([0, 0, 1]);
  stream.end();
  await drained;
  raw.close();
});

test('an invalid request frame or an unencodable answer fails only its own call', async () => {
  const { port, client } = await gateway({
    getEntry: async () => ({ entry: { name: Symbol('none') } }),
    listEntries: async () => ({ items: 7 }),
  });
  const actorToken = await kit.token();
  expect((await failureOf(client.getEntry(get, { actorToken }))).reason).toBe('internal');
  const { raw, stream, frames, frame } = await openRawStream(port);
  stream.write({
    frames: [
      {
        ...frame,
        id: 1,
        path: entries.getEntry.path,
        payload: Buffer.from('0a ff ff ff ff ff'.replaceAll(' ', ''), 'hex'),
      },
      { ...frame, id: 2, path: '/claviger.vault.v1.EntriesService/Nothing', payload: Buffer.alloc(0) },
      { ...frame, id: 3, path: '__proto__', payload: Buffer.alloc(0) },
    ],
  });
  await vi.waitFor(
    () =>
      expect(
        frames
          .filter(({ id }) => id > 0)
          .map(({ id }) => id)
          .sort(),
      ).toEqual([1, 2, 3]),
    PATIENT,
  );
  expect(frames.every(({ id, statusCode }) => id === 0 || statusCode !== 0)).toBe(true);
  raw.close();
});

function chunks(context: CallContext, count: number, onChunk: (n: number) => void = () => {}) {
  context.audited = true;
  return (async function* () {
    for (let n = 0; n < count; n += 1) {
      onChunk(n);
      yield { contentType: 'text/csv', data: Buffer.alloc(64 * 1024, n), extensions: [] };
    }
  })();
}

async function exporter(peers: Peers, options: { signal?: AbortSignal } = {}) {
  const client = peers.client('audit', audit.AuditService);
  const request = {
    from: '',
    to: '',
    format: '',
    userId: '',
    action: '',
    outcome: '',
    resourceId: '',
    subjectId: '',
    search: '',
    bom: false,
  };
  return client.exportEvents(request, { actorToken: await kit.token({}, ['audit']), ...options });
}

async function auditGateway(exportEvents: unknown) {
  const { port } = await kit.serve({ exportEvents }, 'audit');
  return kit.callerOf('gateway', [port]);
}

test('a stream arrives complete and in order, and is produced no faster than it is read', async () => {
  let made = 0;
  const peers = await auditGateway((_: unknown, context: CallContext) =>
    chunks(context, 400, () => (made += 1)),
  );
  let read = 0;
  for await (const { data } of await exporter(peers)) {
    expect(data[0]).toBe(read % 256);
    read += 1;
    if (read === 1) {
      // Reads nothing on purpose, so that the source could run ahead.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(made).toBeLessThan(200);
    }
  }
  expect(read).toBe(400);
});

test('server streams are distributed over the replicas of all names', async () => {
  const served = new Set<number>();
  const ports = await Promise.all(
    [1, 2].map(async (replica) => {
      const exportEvents = (_: unknown, context: CallContext) => {
        served.add(replica);
        return chunks(context, 1, () => {});
      };
      return (await kit.serve({ exportEvents }, 'audit')).port;
    }),
  );
  const peers = await kit.callerOf(
    'gateway',
    ports.map((port) => `localhost:${port}`),
  );
  await expect
    .poll(async () => {
      for await (const { data } of await exporter(peers)) expect(data[0]).toBe(0);
      return served.size;
    }, PATIENT)
    .toBe(2);
});

test('the source of a stream stops when the reader leaves', async () => {
  let ended = false;
  const peers = await auditGateway((_: unknown, context: CallContext) =>
    (async function* () {
      try {
        yield* chunks(context, 100_000);
      } finally {
        ended = true;
      }
    })(),
  );
  for await (const _ of await exporter(peers)) break;
  await vi.waitFor(() => expect(ended).toBe(true), PATIENT);
});

test('a stream that fails midway fails for its reader with the error of the source', async () => {
  const peers = await auditGateway(async function* (_: unknown, context: CallContext) {
    yield* chunks(context, 3);
    throw new ClavigerError('integrity_error', 'Row 4 is damaged.');
  });
  let read = 0;
  const reading = (async () => {
    for await (const _ of await exporter(peers)) read += 1;
  })();
  expect((await failureOf(reading)).reason).toBe('integrity_error');
  expect(read).toBe(3);
});

test('an audited stream without its event sends nothing', async () => {
  const peers = await auditGateway(async function* () {
    yield { contentType: 'text/csv', data: Buffer.from('canary'), extensions: [] };
  });
  let read = 0;
  const reading = (async () => {
    for await (const _ of await exporter(peers)) read += 1;
  })();
  expect((await failureOf(reading)).reason).toBe('internal');
  expect(read).toBe(0);
});

test('a renewed certificate is used by server and client without a restart', async () => {
  const config = await kit.configOf('vault');
  const server = createRpcServer({
    config,
    logger: createLogger({ service: 'vault', node: 'vault-1', level: 'silent' }),
    verifyActor: async () => expect.fail(),
    recordOutcome: async () => {},
  });
  const port = await server.listen();
  const { connect } = await import('node:tls');
  const { readFileSync } = await import('node:fs');
  const client = await kit.configOf('gateway');
  const serialNow = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        ALPNProtocols: ['h2'],
        ca: readFileSync(client.grpc.caFile),
        cert: readFileSync(client.grpc.certFile),
        key: readFileSync(client.grpc.keyFile),
        checkServerIdentity: () => undefined,
      });
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const before = await serialNow();
  const leaf = await issueServiceCertificate(kit.authority, 'test', 'vault');
  await writeAtomically(config.grpc.keyFile, leaf.privateKeyPem);
  await writeAtomically(config.grpc.certFile, leaf.certificatePem);
  await vi.waitFor(async () => expect(await serialNow()).not.toBe(before), PATIENT);
  await server.drain(500);
});
