import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { type FieldInfo, type MessageInfo, type MethodInfo, methods } from '@claviger/contracts';
import { ensureEdgeCertificate, openCertificateAuthority } from '@claviger/identity';

export const SAMPLE_ID = '0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11';
const TIME = '2026-03-01T12:30:15.123Z';

/** States that a command waits for, and values that a command computes with. */
const VALUES: Readonly<Record<string, unknown>> = {
  'AccessRequest.status': 'approved',
  'Grant.status': 'active',
  'Rotation.state': 'verified',
  'KeyJob.state': 'done',
  'Report.state': 'ready',
  'ConfigKey.key': 'section.key',
  'GetConfigVersionResponse.keys': ['section.key'],
  'Replica.lastHeartbeatAt': '2100-01-01T00:00:00.000Z',
  'ListApiTokensResponse.totalItems': 40,
};

/** `full`: every field of a message has a value. `bare`: none has, except those that commands wait for. */
export type Fullness = 'full' | 'bare';

/** A server that answers every operation with a message of the contract, and notes what it was asked. */
export interface RecordedServer extends AsyncDisposable {
  readonly url: string;
  readonly caFile: string;
  fullness: Fullness;
  readonly requests: string[];
}

export async function startRecordedServer(folder: string): Promise<RecordedServer> {
  const authority = await openCertificateAuthority(folder, 'ca', 'Test CA');
  const leaf = { certFile: join(folder, 'edge.crt'), keyFile: join(folder, 'edge.key') };
  await ensureEdgeCertificate(authority, ['localhost'], leaf);
  const [cert, key] = await Promise.all([readFile(leaf.certFile), readFile(leaf.keyFile)]);
  const requests: string[] = [];
  const recorded = { fullness: 'full' as Fullness };
  const server: Server = createServer({ cert, key }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    requests.push(`${request.method} ${request.url}${body === '' ? '' : ` ${body}`}`);
    const method = methodFor(request.method ?? '', (request.url ?? '').split('?')[0]!);
    if (method === undefined) response.writeHead(404).end();
    else if (method.responseStream) response.writeHead(200).end('streamed\n');
    else {
      const message = sampleOf(method.response, recorded.fullness, 0);
      const whole = method.response.fields.find(
        ({ protoName }) => protoName === method.http[0]?.responseBody,
      );
      const answer = whole ? message[whole.jsonName] : message;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `https://localhost:${port}`,
    caFile: join(folder, 'ca.crt'),
    get fullness() {
      return recorded.fullness;
    },
    set fullness(fullness: Fullness) {
      recorded.fullness = fullness;
    },
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The operation of a path. Literal segments go before parameters, as `users/me` before `users/{user_id}`. */
function methodFor(verb: string, path: string): MethodInfo | undefined {
  const segments = path.split('/');
  const fits = [...methods.values()].flatMap((method) =>
    method.http
      .filter((binding) => binding.method === verb)
      .map((binding) => ({ method, parts: binding.path.split('/') }))
      .filter(
        ({ parts }) =>
          parts.length === segments.length &&
          parts.every((part, index) => part.startsWith('{') || part === segments[index]),
      ),
  );
  const parameters = (parts: readonly string[]) => parts.filter((part) => part.startsWith('{')).length;
  return fits.sort((left, right) => parameters(left.parts) - parameters(right.parts))[0]?.method;
}

function sampleOf(info: MessageInfo, fullness: Fullness, depth: number): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  const oneofs = new Set<string>();
  for (const field of info.fields) {
    const fixed = VALUES[`${info.name.split('.').at(-1)}.${field.jsonName}`];
    if (fixed !== undefined) message[field.jsonName] = fixed;
    else if (fullness === 'bare') {
      // A list has one row, of which nothing is known.
      if (depth === 0 && field.kind === 'message' && !field.map) {
        const item = sampleOf(field.message!, fullness, 1);
        message[field.jsonName] = field.repeated ? [item] : item;
      }
    } else if (field.oneof === undefined || !oneofs.has(field.oneof)) {
      if (field.oneof !== undefined) oneofs.add(field.oneof);
      const value = sampleValue(field, fullness, depth);
      if (value !== undefined) message[field.jsonName] = value;
    }
  }
  return message;
}

function sampleValue(field: FieldInfo, fullness: Fullness, depth: number): unknown {
  if (field.map) return {};
  if (field.kind === 'message' && depth > 4) return undefined;
  const one = scalarOf(field, fullness, depth);
  if (!field.repeated) return one;
  return field.kind === 'string' && !field.rules?.allowed.length ? [one, `${one} 2`] : [one];
}

function scalarOf({ kind, jsonName, rules, message }: FieldInfo, fullness: Fullness, depth: number): unknown {
  switch (kind) {
    case 'message':
      return sampleOf(message!, fullness, depth + 1);
    case 'struct':
      return { section: { key: `a ${jsonName}` }, access: { maximumGrantMinutes: 60 } };
    case 'integer':
      return /total|count/i.test(jsonName) ? 1 : 70;
    case 'double':
      return 1.5;
    case 'bool':
      return true;
    case 'bytes':
      return 'Ynl0ZXM=';
    case 'timestamp':
      return TIME;
    default:
      if (jsonName === 'nextCursor') return '';
      if (/^(name|username|hostname)$/.test(jsonName)) return 'sample';
      if (/(^id|Ids?)$/.test(jsonName)) return SAMPLE_ID;
      if (/(At|Until|Before|timestamp)$/.test(jsonName) || rules?.format === 'date-time') return TIME;
      return rules?.allowed[0] ?? `${jsonName} \u0007text`;
  }
}
