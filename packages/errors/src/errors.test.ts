import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeServiceError, encodeServiceError } from './grpc-wire.ts';
import { ClavigerError, problemDocument, REASONS, type Reason } from './index.ts';

const reasons = Object.keys(REASONS) as Reason[];
const PATH = '/test.Test/Fail';
const raw = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
};

let server: Server;
let client: Client;
let next: (respond: (error: object) => void) => void;

beforeAll(async () => {
  server = new Server();
  server.addService(
    { fail: { path: PATH, requestStream: false, responseStream: false, ...raw } },
    { fail: (_: unknown, respond: (error: object) => void) => next(respond) },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});
afterAll(() => {
  client.close();
  server.forceShutdown();
});

function overTheWire(timeoutMs = 60_000): Promise<ClavigerError> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      PATH,
      raw.requestSerialize,
      raw.responseDeserialize,
      Buffer.alloc(0),
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error) => (error ? resolve(decodeServiceError(error)) : reject(new Error('it should have failed'))),
    );
  });
}

test.each(reasons)('%s keeps all its members over gRPC, except its cause', async (reason) => {
  const error = new ClavigerError(reason, 'Öffentlich, 100 % — with\nlines', {
    code: 'narrower_code',
    fields: [{ pointer: '/a/0', detail: 'must be ü' }],
    hint: 'Do this next.',
    retryAfterSeconds: 7,
    correlationId: 'c-1',
    cause: new Error('canary-cause'),
  });
  next = (respond) => respond(encodeServiceError(error));
  const { cause, ...seen } = await overTheWire();
  expect(seen).toMatchObject({
    reason,
    code: 'narrower_code',
    fields: error.fields,
    hint: error.hint,
    retryAfterSeconds: 7,
    correlationId: 'c-1',
  });
  expect((await overTheWire()).message).toBe(error.message);
  expect((cause as ServiceError).code).toBe(REASONS[reason].grpc);
  expect(JSON.stringify([seen, cause, (cause as Error).message])).not.toContain('canary');
});

test('absent members stay absent, and the code defaults to the reason', async () => {
  next = (respond) => respond(encodeServiceError(ClavigerError.notFound()));
  const seen = await overTheWire();
  expect(seen).toMatchObject({
    reason: 'not_found',
    code: 'not_found',
    fields: [],
    hint: undefined,
    retryAfterSeconds: undefined,
    correlationId: undefined,
  });
});

test('an error with thousands of problems fits into its header', async () => {
  const fields = Array.from({ length: 5_000 }, (_, n) => ({
    pointer: `/items/${n}`,
    detail: 'is too long '.repeat(20),
  }));
  next = (respond) =>
    respond(
      encodeServiceError(
        new ClavigerError('invalid', `${'m'.repeat(50_000)}\ud800`, { fields, hint: 'h'.repeat(50_000) }),
      ),
    );
  const seen = await overTheWire();
  expect(seen.reason).toBe('invalid');
  expect(seen.fields.length).toBeGreaterThan(5);
  expect(seen.fields[0]).toEqual(fields[0]);
});

test('unknown details, or an unknown reason, become internal', async () => {
  for (const bytes of [Buffer.from('garbage'), Buffer.alloc(0), Buffer.from([0x1a, 0xff])]) {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', bytes);
    next = (respond) => respond({ code: status.PERMISSION_DENIED, details: 'canary', metadata });
    expect(await overTheWire()).toMatchObject({ reason: 'internal', message: 'An internal error occurred.' });
  }
  for (const reason of ['toString', '__proto__', 'unheard_of']) {
    next = (respond) => {
      const odd = new ClavigerError('invalid', 'x');
      const encoded = encodeServiceError(Object.assign(odd, { reason: 'invalid' }));
      const [details] = encoded.metadata.get('grpc-status-details-bin') as Buffer[];
      const replaced = Buffer.from(
        details!.toString('latin1').replace('invalid', reason.slice(0, 7).padEnd(7)),
        'latin1',
      );
      encoded.metadata.set('grpc-status-details-bin', replaced);
      respond(encoded);
    };
    expect((await overTheWire()).reason).toBe('internal');
  }
});

test('a passed deadline is deadline_exceeded and an unreachable server is unavailable, never a caller error', async () => {
  next = () => {};
  expect(await overTheWire(50)).toMatchObject({ reason: 'deadline_exceeded', retryAfterSeconds: 1 });
  const nobody = new Client('127.0.0.1:1', credentials.createInsecure());
  const error = await new Promise<ClavigerError>((resolve) => {
    nobody.makeUnaryRequest(
      PATH,
      raw.requestSerialize,
      raw.responseDeserialize,
      Buffer.alloc(0),
      new Metadata(),
      { deadline: Date.now() + 60_000 },
      (failure) => resolve(decodeServiceError(failure!)),
    );
  });
  expect(error).toMatchObject({ reason: 'unavailable', retryAfterSeconds: 1 });
  nobody.close();
});

test.each(reasons)('%s is a problem document with its status and without its cause', (reason) => {
  const bare = problemDocument(new ClavigerError(reason, 'Said.', { cause: new Error('canary') }));
  expect(bare).toEqual({
    type: `urn:claviger:problem:${reason}`,
    title: REASONS[reason].title,
    status: REASONS[reason].http,
    detail: 'Said.',
    code: reason,
    retryable: REASONS[reason].retryable,
  });
  expect(bare.status).toBeGreaterThanOrEqual(400);
  const full = problemDocument(
    new ClavigerError(reason, 'Said.', {
      code: 'narrow',
      fields: [{ pointer: '/a', detail: 'b' }],
      hint: 'h',
      correlationId: 'c',
    }),
  );
  expect(full).toMatchObject({
    type: 'urn:claviger:problem:narrow',
    code: 'narrow',
    errors: [{ pointer: '/a', detail: 'b' }],
    hint: 'h',
    correlationId: 'c',
  });
});

test('the answer is the same for every invisible object', () => {
  expect(problemDocument(ClavigerError.notFound())).toEqual(problemDocument(ClavigerError.notFound()));
});
