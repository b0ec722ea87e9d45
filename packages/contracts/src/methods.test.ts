import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import {
  answersHead,
  type FieldInfo,
  type HttpBinding,
  type MessageInfo,
  methodOf,
  methods,
} from './index.ts';

const all = [...methods.values()];
const protos = globSync('../../../proto/claviger/*/v1/*.proto', { cwd: import.meta.dirname }).map((file) =>
  readFileSync(resolve(import.meta.dirname, file), 'utf8'),
);

const messages = new Map<string, MessageInfo>();
for (const { request, response } of all) for (const message of [request, response]) collect(message);
function collect(message: MessageInfo): void {
  if (messages.has(message.name)) return;
  messages.set(message.name, message);
  for (const field of message.fields) if (field.message) collect(field.message);
}
const fields = [...messages.values()].flatMap((message) =>
  message.fields.map((field) => ({ message, field })),
);
const named = ({ message, field }: { message: MessageInfo; field: FieldInfo }) =>
  `${message.name}.${field.protoName}`;

test('every operation has a policy with exactly one way to be allowed', () => {
  const wrong = all.filter(({ policy }) => {
    if (!policy) return true;
    return (
      [policy.permission !== '', policy.authenticated, policy.public, policy.internal, policy.agent].filter(
        Boolean,
      ).length !== 1
    );
  });
  expect(wrong.map((method) => method.path)).toEqual([]);
});

test('H-090 only operations that carry their own credential are public', () => {
  expect(all.filter(({ policy }) => policy!.public).map(({ name }) => name)).toEqual([
    'Login',
    'Refresh',
    'CompletePasswordReset',
    'CompleteSetup',
  ]);
});

test('the gateway may call every method with a REST binding; internal methods have none', () => {
  const wrong = all.filter(({ http, policy }) => {
    const gatewayMay = policy!.callers.length === 0 || policy!.callers.includes('gateway');
    return http.length > 0 && (!gatewayMay || policy!.internal || policy!.rateTier === 0);
  });
  expect(wrong.map((method) => method.path)).toEqual([]);
});

test('callers and forwards are existing services', () => {
  const services = ['gateway', 'auth', 'vault', 'workflow', 'audit', 'operator'];
  const unknown = all.flatMap(({ path, policy }) =>
    [...policy!.callers, ...policy!.forwardsTo]
      .filter((name) => !services.includes(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('every method that changes or discloses something names its audit action, in the form noun.verb', () => {
  const wrong = all.filter(({ http, policy }) => {
    if (policy!.audit !== '') return !/^[a-z-]+(\.[a-z-]+)+$/.test(policy!.audit);
    return (
      policy!.discloses ||
      (http.some(({ method }) => method !== 'GET') &&
        !policy!.reads &&
        !policy!.authenticated &&
        !policy!.public)
    );
  });
  expect(wrong.map((method) => method.path)).toEqual([]);
});

test('every method that reads the audit log, its proofs or its reports names its audit action', () => {
  const readers = all.filter(
    ({ owner, http, policy, name }) =>
      owner === 'audit' && http.length > 0 && !policy!.permission.startsWith('siem.') && name !== 'ListKeys',
  );
  expect(readers.length).toBeGreaterThan(15);
  expect(readers.filter(({ policy }) => policy!.audit === '').map(({ path }) => path)).toEqual([]);
});

const bindings = all.flatMap((method) => method.http.map((binding) => ({ method, binding })));

test('each method and path is bound once, regardless of parameter names', () => {
  const keys = bindings.map(({ binding }) => shape(binding));
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
});

test('HEAD works on every GET except these, which return a secret or are recorded as handed over', () => {
  const gets = bindings.filter(({ binding }) => binding.method === 'GET');
  const refused = gets.filter(({ method, binding }) => !answersHead(method, binding));
  expect(refused.map(({ binding }) => binding.path).sort()).toEqual([
    '/api/v1/agents/{id}/commands',
    '/api/v1/auth/mfa/setup',
    '/api/v1/grants/{grant_id}/credentials',
  ]);
  const others = bindings.filter(({ binding }) => binding.method !== 'GET');
  expect(others.filter(({ method, binding }) => answersHead(method, binding))).toEqual([]);
});

function shape({ method, path }: HttpBinding): string {
  return `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`;
}

test('when two routes match a path, one of them is more literal at every segment', () => {
  const ambiguous: string[] = [];
  for (const [index, { binding: a }] of bindings.entries()) {
    for (const { binding: b } of bindings.slice(index + 1)) {
      const [left, right] = [a.path.split('/'), b.path.split('/')];
      if (a.method !== b.method || left.length !== right.length) continue;
      const pairs = left.map(
        (segment, at) =>
          [segment.startsWith('{'), right[at]!.startsWith('{'), segment === right[at]] as const,
      );
      if (pairs.some(([leftOpen, rightOpen, same]) => !leftOpen && !rightOpen && !same)) continue;
      const leftWins = pairs.some(([leftOpen, rightOpen]) => !leftOpen && rightOpen);
      const rightWins = pairs.some(([leftOpen, rightOpen]) => leftOpen && !rightOpen);
      if (leftWins === rightWins) ambiguous.push(`${a.method} ${a.path} and ${b.path}`);
    }
  }
  expect(ambiguous).toEqual([]);
});

test('the parameters of a path are fields of the request, and single strings or numbers', () => {
  const wrong = bindings.flatMap(({ method, binding }) =>
    [...binding.path.matchAll(/\{([^}]+)\}/g)]
      .map((match) => match[1]!)
      .filter((name) => {
        const field = method.request.fields.find((each) => each.protoName === name);
        return !field || field.repeated || !['string', 'integer'].includes(field.kind);
      })
      .map((name) => `${method.path} {${name}}`),
  );
  expect(wrong).toEqual([]);
});

test('a binding takes the whole body or none, and GET and DELETE take none', () => {
  for (const proto of protos)
    for (const [, body] of proto.matchAll(/(?<!_)body: "([^"]*)"/g)) expect(['*', undefined]).toContain(body);
  expect(
    bindings.filter(({ binding }) => binding.body && ['GET', 'DELETE'].includes(binding.method)),
  ).toEqual([]);
});

test('every response_body names an existing field', () => {
  const wrong = bindings.filter(
    ({ method, binding }) =>
      binding.responseBody &&
      !method.response.fields.some((field) => field.protoName === binding.responseBody),
  );
  expect(wrong.map(({ method }) => method.path)).toEqual([]);
});

test('query parameters contain no objects and no bytes', () => {
  const wrong = bindings.flatMap(({ method, binding }) =>
    binding.body
      ? []
      : method.request.fields
          .filter((field) => ['message', 'struct', 'bytes'].includes(field.kind))
          .map((field) => `${method.path} ${field.protoName}`),
  );
  expect(wrong).toEqual([]);
});

test('each reference operation has one method', () => {
  const ids = all.flatMap((method) => method.policy!.operations);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test('no field with the name of a secret is public', () => {
  const smell =
    /pass(word|phrase)|secret|token|(^|_)code|private|otp|recovery|pepper|seed|key_material|credential|authoriz|cookie|value$/;
  // Names of properties of a secret.
  const harmless = /_id$|_ids$|_at$|_type$|_count$|^(public_key|key_id|status_code)$/;
  const wrong = fields.filter(
    ({ field }) =>
      field.public &&
      // A number or a boolean contains no secret.
      ['string', 'bytes', 'struct'].includes(field.kind) &&
      smell.test(field.protoName) &&
      !harmless.test(field.protoName),
  );
  expect(wrong.map(named)).toEqual([]);
});

test('every declared oneof has all its members and no others', () => {
  const declared = protos.flatMap((proto) =>
    [...proto.matchAll(/oneof (\w+) \{([^}]*)\}/g)].flatMap(([, oneof, body]) =>
      [...body!.matchAll(/^\s*[\w.]+ (\w+) = \d+/gm)].map((member) => `${oneof}.${member[1]}`),
    ),
  );
  const known = fields.flatMap(({ field }) => (field.oneof ? [`${field.oneof}.${field.protoName}`] : []));
  expect(known.sort()).toEqual(declared.sort());
  expect(known.length).toBeGreaterThan(0);
});

test('no message is nested in another, because its rules would be lost', () => {
  for (const proto of protos) expect(proto).not.toMatch(/^ {2,}message /m);
});

test('the validator knows every rule', () => {
  const formats = ['', 'uuid', 'identifier', 'line', 'text', 'date-or-time', 'id'];
  const wrong = fields.filter(({ field: { rules, kind } }) => {
    if (!rules) return false;
    if (!formats.includes(rules.format)) return true;
    if (rules.pattern) new RegExp(`^(?:${rules.pattern})$`, 'u');
    const ofText = rules.pattern !== '' || rules.format !== '' || rules.allowed.length > 0;
    if (ofText && kind !== 'string') return true;
    return rules.hasRange ? !['integer', 'double'].includes(kind) || rules.minimum > rules.maximum : false;
  });
  expect(wrong.map(named)).toEqual([]);
});

test('every text in a request has a maximum length', () => {
  const seen = new Set<MessageInfo>();
  const unbounded: string[] = [];
  const visit = (message: MessageInfo): void => {
    if (seen.has(message)) return;
    seen.add(message);
    for (const field of message.fields) {
      if (field.message) visit(field.message);
      const { rules } = field;
      const bounded =
        rules &&
        (rules.maxLength > 0 ||
          rules.allowed.length > 0 ||
          rules.pattern !== '' ||
          /^(uuid|id|date-or-time)$/.test(rules.format));
      if (field.kind === 'string' && !bounded) unbounded.push(named({ message, field }));
    }
  };
  for (const method of all) if (method.http.length > 0) visit(method.request);
  expect(unbounded).toEqual([]);
});

test('lists use the same paging, and those of elevations that of their reference', () => {
  const wrong = all
    .filter((method) => method.name.startsWith('List') && method.request.byJsonName.has('page'))
    .filter(({ request, response, http }) => {
      const elevation = http.some(({ path }) => path.startsWith('/api/v1/pam/'));
      const asked = [elevation ? 'limit' : 'pageSize', 'sortBy', 'sortOrder', 'cursor'];
      const answered = elevation
        ? ['success', 'pagination', 'nextCursor']
        : ['items', 'page', 'pageSize', 'totalItems', 'totalPages', 'nextCursor'];
      return (
        !asked.every((name) => request.byJsonName.has(name)) ||
        !answered.every((name) => response.byJsonName.has(name))
      );
    });
  expect(wrong.map((method) => method.path)).toEqual([]);
});

test('an unknown path has no operation', () => {
  for (const path of ['', '/claviger.vault.v1.EntriesService/Nothing', 'toString', '__proto__'])
    expect(() => methodOf(path)).toThrow(/no method/);
});
