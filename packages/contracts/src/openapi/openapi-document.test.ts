import { describe, expect, it } from 'vitest';
import { methods } from '../methods.ts';
import type { JsonSchema } from './json-schema.ts';
import { openApiDocument } from './openapi-document.ts';
import type { Parameter } from './operation.ts';

const document = openApiDocument({ version: '1.0.0', serverUrl: 'https://localhost:7101' });
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

const names = ({ parameters }: Record<string, unknown>) =>
  (parameters as { name: string }[]).map(({ name }) => name);
const parameter = ({ parameters }: Record<string, unknown>, name: string) =>
  (parameters as { name: string; schema: JsonSchema }[]).find((each) => each.name === name)!.schema;

function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

function resolve(reference: string): unknown {
  return reference
    .replace('#/', '')
    .split('/')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}

describe('the OpenAPI document', () => {
  it('has every REST binding of the contract and no other', () => {
    const bindings = [...methods.values()].flatMap((method) => method.http);
    expect(operations).toHaveLength(bindings.length);
  });

  it('contains every referenced schema and no unreferenced one', () => {
    const all = new Set(references(document));
    expect([...all].filter((each) => resolve(each) === undefined)).toEqual([]);
    const unused = Object.keys(document.components.schemas).filter(
      (name) => !all.has(`#/components/schemas/${name}`),
    );
    expect(unused).toEqual([]);
  });

  it('gives each operation a unique id', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('declares the success and the problems of each operation', () => {
    const several = new Set(
      [...methods.values()]
        .filter(({ policy }) => policy!.statusField !== '')
        .map(({ property }) => property),
    );
    expect(several.size).toBeGreaterThan(0);
    for (const { path, method, operation } of operations) {
      const responses = operation.responses as Record<string, { content?: object; $ref?: string }>;
      const successes = Object.keys(responses).filter((status) => status.startsWith('2'));
      const one = !several.has(String(operation.operationId).split('.')[1]!);
      expect(successes.length === 1, `${method} ${path}`).toBe(one);
      for (const status of successes.filter((each) => each !== '204'))
        expect(responses[status]!.content, `${method} ${path}`).toBeDefined();
      expect(responses.default).toEqual({ $ref: '#/components/responses/Problem' });
    }
  });

  it('declares each path parameter under its name in the path', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = operation.parameters as { in: string; name: string; required: boolean }[];
      const declared = parameters
        .filter((each) => each.in === 'path' && each.required)
        .map((each) => each.name);
      expect(declared.sort()).toEqual(inPath.sort());
      expect(new Set(parameters.map((each) => `${each.in} ${each.name}`)).size).toBe(parameters.length);
    }
  });

  it('gives a pattern for each path parameter', () => {
    for (const { path, operation } of operations)
      for (const { in: where, name, schema } of operation.parameters as Parameter[]) {
        if (where !== 'path') continue;
        expect(schema.pattern ?? schema.enum, `${path} ${name}`).toBeDefined();
        expect(schema.pattern ?? '', `${path} ${name}`).not.toContain('[^\\u0000]');
      }
  });

  it('requires a bearer token except for public operations', () => {
    const agents = operations.filter(({ path }) => path.startsWith('/api/v1/agents/'));
    expect(agents.length).toBeGreaterThan(0);
    for (const { operation } of agents) expect(operation.security).toEqual([{ agent: [] }]);
    const open = operations.filter(({ operation }) => (operation.security as unknown[]).length === 0);
    const isPublic = [...methods.values()].filter(
      (method) => method.policy?.public && method.http.length > 0,
    );
    expect(open).toHaveLength(isPublic.length);
  });

  it('has Idempotency-Key on every authenticated POST with an effect, and nowhere else', () => {
    const expected = [...methods.values()]
      .filter(
        ({ policy }) => policy && policy.audit !== '' && !policy.reads && !policy.public && !policy.internal,
      )
      .flatMap((method) => method.http.filter((binding) => binding.method === 'POST'));
    const offering = operations.filter(({ operation }) =>
      (operation.parameters as { name: string }[]).some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(offering).toHaveLength(expected.length);
    expect(offering.every(({ method }) => method === 'post')).toBe(true);
    for (const { operation } of offering) expect(Object.keys(operation.responses as object)).toContain('422');
  });

  it('declares which operations return ETags and which accept conditions', () => {
    for (const { path, method, operation } of operations) {
      const names = (operation.parameters as { name: string }[]).map(({ name }) => name);
      const responses = operation.responses as Record<string, { headers?: object }>;
      const tagged = Object.values(responses).some(({ headers }) => headers && 'ETag' in headers);
      if (method === 'get') expect(names.includes('If-None-Match'), path).toBe(tagged);
      const mayBe = names.includes('If-Match') || ['put', 'patch', 'delete'].includes(method);
      expect('412' in responses, `${method} ${path}`).toBe(mayBe);
    }
  });

  it('declares where HEAD works', () => {
    const head = operations.filter(({ operation }) => operation['x-claviger-head'] === true);
    expect(new Set(head.map(({ method }) => method))).toEqual(new Set(['get']));
    const others = operations.filter((each) => each.method === 'get' && !head.includes(each));
    expect(others.map(({ path }) => path).sort()).toEqual([
      '/api/v1/agents/{id}/commands',
      '/api/v1/auth/mfa/setup',
      '/api/v1/grants/{grantId}/credentials',
    ]);
  });

  it('has closed input schemas, without path fields in bodies', () => {
    const { RetrieveEntryRequest } = document.components.schemas;
    expect(RetrieveEntryRequest?.additionalProperties).toBe(false);
    expect(Object.keys(RetrieveEntryRequest!.properties!)).toEqual(['reason', 'ticket', 'version']);
  });

  it('allows null for nullable fields, which are always present in answers', () => {
    const { ElevationRequest, UpdateRuleRequest } = document.components.schemas;
    const request = UpdateRuleRequest!.properties!;
    expect(request.matchSigner).toMatchObject({ type: ['string', 'null'], maxLength: 255 });
    expect(request.approvalDurationMinutes).toMatchObject({ type: ['integer', 'null'], maximum: 1_440 });
    expect(request.timeWindow!.anyOf).toEqual([{ $ref: expect.any(String) }, { type: 'null' }]);
    expect(request.name).toMatchObject({ type: 'string' });
    expect(ElevationRequest!.properties!.expiresAt).toMatchObject({ type: ['string', 'null'] });
    expect(ElevationRequest!.required).toEqual(expect.arrayContaining(['siteId', 'expiresAt']));
    expect(ElevationRequest!.required).not.toContain('actionDigest');
  });

  it('declares the sort fields of every list, exclusive parameters, and the types of downloads', () => {
    const lists = operations.filter(({ operation }) => names(operation).includes('sortBy'));
    expect(lists.length).toBeGreaterThan(30);
    for (const { path, operation } of lists) {
      for (const name of ['sortBy', 'sortOrder'])
        expect(parameter(operation, name).enum?.length, `${path} ${name}`).toBeGreaterThan(0);
      const groups = operation['x-exclusive'] as string[][];
      expect(groups, path).toContainEqual(['page', 'cursor']);
      for (const group of groups) expect(names(operation), path).toEqual(expect.arrayContaining(group));
    }
    const { responses } = document.paths['/api/v1/audit/events/export']!.get!;
    const { content } = (responses as Record<string, { content: object }>)[200]!;
    expect(Object.keys(content)).toEqual(['text/csv', 'application/json', 'application/jsonl']);
    expect(JSON.stringify(document)).not.toContain('*/*');
  });

  it('creates a variant for each alternative, which requires its field and excludes the others', () => {
    const { schemas } = document.components;
    expect(schemas.CreateEntryRequest?.oneOf).toEqual([
      { $ref: '#/components/schemas/CreateEntryRequestWithSecret' },
      { $ref: '#/components/schemas/CreateEntryRequestWithGenerate' },
    ]);
    const { CreateEntryRequestWithSecret: secret, CreateEntryRequestWithGenerate: generate } = schemas;
    expect(secret!.required).toEqual(['name', 'secret']);
    expect(secret!.properties).not.toHaveProperty('generate');
    expect(secret!.properties!.secret).toMatchObject({ minLength: 1, maxLength: 65_536 });
    expect(generate!.properties!.generate).toMatchObject({ type: 'boolean', const: true });
    const {
      ActivateBreakglassRequestWithEntryIds: entries,
      ActivateBreakglassRequestWithResourceIds: resources,
    } = schemas;
    expect(Object.keys(entries!.properties!)).toEqual(expect.arrayContaining(['entryIds', 'resourceIds']));
    expect(resources!.properties).not.toHaveProperty('entryIds');
  });

  it('expresses each named format as a pattern that accepts the same as the validator', () => {
    const patternOf = (name: string, field: string) =>
      new RegExp(document.components.schemas[name]!.properties![field]!.pattern!, 'u');
    const line = patternOf('CreateRuleRequest', 'name');
    for (const text of ['a', ' a ', 'ä 😀']) expect(line.test(text), text).toBe(true);
    for (const text of ['', ' ', '\ufeff', 'a\nb', 'a\u0000', '\u202ea']) expect(line.test(text)).toBe(false);
    const time = new RegExp(parameter(document.paths['/api/v1/audit/events']!.get!, 'from').pattern!, 'u');
    for (const text of ['2026-01-31', '2024-02-29', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00.5+02:00'])
      expect(time.test(text), text).toBe(true);
    for (const text of ['2026-02-30', '2026-13-01', '2026-01-31T24:00:00Z', '2026-01-31T12:00Z', '', 'now'])
      expect(time.test(text), text).toBe(false);
    const days = document.components.schemas.TimeWindowInput!.properties!.days!;
    expect(days.items).toMatchObject({ minimum: 0, maximum: 6 });
  });

  it('requires numbers and lists whose zero value is out of range, and their body', () => {
    const { put } = document.paths['/api/v1/resources/{resourceId}/access-policy']!;
    expect(put!.requestBody).toMatchObject({ required: true });
    const { PutAccessPolicyRequest, ApprovalStepInput } = document.components.schemas;
    expect(PutAccessPolicyRequest!.required).toEqual(['steps', 'maxDurationMinutes', 'requestTtlMinutes']);
    expect(ApprovalStepInput!.required).toEqual(['quorum']);
  });

  it('lists its designs, and marks the operations they concern', () => {
    const listed = document['x-designs'];
    for (const { description } of listed) expect(document.info.description).toContain(description);
    expect(listed.every(({ statuses }) => statuses.every((status) => status >= 400 && status < 500))).toBe(
      true,
    );
    for (const { marks } of listed)
      if (marks) expect(JSON.stringify(document.paths)).toContain(`"${marks}":`);
    // A design without marks or codes would hide a refusal that the schemas can express.
    expect(listed.filter(({ statuses, codes, marks }) => statuses.includes(400) && !codes && !marks)).toEqual(
      [],
    );
  });

  it('leaves out fields that the edge fills in or removes', () => {
    for (const { properties } of Object.values(document.components.schemas))
      expect(Object.keys(properties ?? {})).not.toContain('updateMask');
    const ingest = document.paths['/api/v1/agents/{id}/elevation-requests']!.post!;
    expect(Object.keys(ingest.responses as object)).toEqual(expect.arrayContaining(['200', '201', '413']));
    const { IngestElevationRequestResponse } = document.components.schemas;
    expect(Object.keys(IngestElevationRequestResponse!.properties!)).toEqual(['id', 'status', 'repeated']);
  });
});
