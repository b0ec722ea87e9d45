import { answersHead } from '../answers-head.ts';
import { bodyLimitOf, MAX_BODY_BYTES, statusFieldOf, updateMaskOf } from '../contract-problem.ts';
import { RateTier } from '../generated/claviger/options/v1/options.ts';
import { takesIdempotencyKey } from '../idempotency-key.ts';
import type { FieldInfo, HttpBinding, MethodInfo } from '../method-info.ts';
import { fieldSchema } from './field-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { LIMIT_HEADERS } from './limit-headers.ts';
import { isRequiredInput, type MessageSchemas } from './message-schemas.ts';
import { PROBLEM_REF } from './problem-schema.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export type Operation = Readonly<Record<string, unknown>>;

/** Proto names of the fields in a path template. */
function pathFields(template: string): string[] {
  return [...template.matchAll(/\{([a-z0-9_]+)\}/g)].map((match) => match[1]!);
}

/** A path in OpenAPI form: parameters have their JSON names. */
export function documentedPath(method: MethodInfo, binding: HttpBinding): string {
  return binding.path.replaceAll(
    /\{([a-z0-9_]+)\}/g,
    (_, name: string) => `{${fieldOf(method, name).jsonName}}`,
  );
}

function fieldOf(method: MethodInfo, protoName: string): FieldInfo {
  const field = method.request.fields.find((each) => each.protoName === protoName);
  if (!field) throw new Error(`${method.path}: its path names {${protoName}}, which its request lacks.`);
  return field;
}

export function operation(method: MethodInfo, binding: HttpBinding, schemas: MessageSchemas): Operation {
  const policy = method.policy!;
  const inPath = new Set(pathFields(binding.path));
  const elsewhere = notInBody(method, inPath);
  const hasBodyFields =
    binding.body && method.request.fields.some((field) => !elsewhere.has(field.protoName));
  const tag = tagOf(method);
  return {
    operationId: `${tag}.${method.property}`,
    tags: [tag],
    summary: sentence(method.name),
    ...(method.comment === '' ? {} : { description: method.comment }),
    security: policy.public ? [] : [policy.agent ? { agent: [] } : { bearer: [] }],
    parameters: parameters(method, binding, inPath),
    ...(hasBodyFields ? { requestBody: requestBody(method, elsewhere, schemas) } : {}),
    responses: responses(method, binding, schemas),
    'x-claviger-owner': method.owner,
    'x-claviger-rate-tier': tierName(policy.rateTier),
    ...(policy.operations.length > 0 ? { 'x-claviger-operations': policy.operations } : {}),
    ...(policy.permission === '' ? {} : { 'x-claviger-permission': policy.permission }),
    ...(policy.audit === '' ? {} : { 'x-claviger-audit': policy.audit }),
    ...(policy.stepUp ? { 'x-claviger-step-up': true } : {}),
    ...(policy.discloses ? { 'x-claviger-discloses': true } : {}),
    ...(answersHead(method, binding) ? { 'x-claviger-head': true } : {}),
    ...exclusive(method, binding),
    ...(limitsBody(method) ? { 'x-claviger-max-body-bytes': bodyLimitOf(method) } : {}),
  };
}

/** Whether its body limit is lower than the edge's. */
function limitsBody(method: MethodInfo): boolean {
  return method.http.some(({ body }) => body) && bodyLimitOf(method) < MAX_BODY_BYTES;
}

/** Proto names of the fields in the path, and of those that the edge fills in. */
function notInBody(method: MethodInfo, inPath: ReadonlySet<string>): ReadonlySet<string> {
  const mask = updateMaskOf(method.request);
  return mask ? new Set([...inPath, mask.protoName]) : inPath;
}

/** `claviger.vault.v1.EntriesService` → `Entries`. */
export function tagOf(method: MethodInfo): string {
  return method.service
    .split('.')
    .at(-1)!
    .replace(/Service$/, '');
}

/** `GetGrantCredentials` → `Get grant credentials`. */
function sentence(name: string): string {
  const words = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function tierName(tier: RateTier): string {
  const [name = 'RATE_TIER_UNSPECIFIED'] = Object.entries(RateTier).find(([, value]) => value === tier) ?? [];
  return name.slice('RATE_TIER_'.length).toLowerCase();
}

function parameters(method: MethodInfo, binding: HttpBinding, inPath: ReadonlySet<string>): Parameter[] {
  const noMessage = (): JsonSchema => ({});
  const parameter = (field: FieldInfo, where: 'path' | 'query'): Parameter => {
    const { description, ...schema } = fieldSchema(field, 'input', noMessage);
    return {
      name: field.jsonName,
      in: where,
      required: where === 'path' || isRequiredInput(field),
      ...(description ? { description } : {}),
      schema,
    };
  };
  const path = [...inPath].map((name) => parameter(fieldOf(method, name), 'path'));
  const query = binding.body
    ? []
    : method.request.fields
        .filter(({ protoName, kind }) => !inPath.has(protoName) && kind !== 'message' && kind !== 'struct')
        .map((field) => parameter(field, 'query'));
  const pageSize = query.find(({ name }) => name === 'pageSize');
  const alias = pageSize && takesLimitAlias(method) ? [limitAlias(pageSize)] : [];
  return [
    ...path,
    ...query,
    ...alias,
    ...(takesIfMatch(method, binding) ? [IF_MATCH] : []),
    ...(answersTag(method, binding) ? [IF_NONE_MATCH] : []),
    ...(takesKey(method, binding) ? [IDEMPOTENCY_KEY] : []),
  ];
}

/** Groups of parameters of which at most one may be given. */
function exclusive(method: MethodInfo, binding: HttpBinding) {
  if (binding.body) return {};
  const has = (protoName: string) => method.request.fields.some((field) => field.protoName === protoName);
  const groups = [
    ...(has('page') && has('cursor') ? [['page', 'cursor']] : []),
    ...(takesLimitAlias(method) ? [['pageSize', 'limit']] : []),
  ];
  return groups.length > 0 ? { 'x-exclusive': groups } : {};
}

function takesLimitAlias({ request }: MethodInfo): boolean {
  return request.byJsonName.has('pageSize') && !request.byJsonName.has('limit');
}

function limitAlias(pageSize: Parameter): Parameter {
  return { ...pageSize, name: 'limit', description: 'Alias of pageSize.' };
}

const IF_MATCH: Parameter = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description:
    'The ETag on which the change is based; 412 when the object has changed since, or when the tag is not valid.',
  schema: {
    type: 'string',
    pattern: '^(?:\\*|"[1-9][0-9]{0,9}(?:-[A-Za-z0-9_-]{1,43})?")$',
    examples: ['"3-mZ1xQ0a9Lw7vK2sT"', '"3"'],
  },
};

const IF_NONE_MATCH: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'ETags known to the caller; 304 when the object still has one of them.',
  schema: { type: 'string', examples: ['"3-mZ1xQ0a9Lw7vK2sT"'] },
};

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A random key for this request. A repetition with the same key within 24 hours is not carried out again: it returns the first answer, or 409 idempotency_replayed if that is not stored. 422 for a different request with the key.',
  schema: {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: '^[\\x21-\\x7e]+$',
    examples: ['0198f6a2-5b7c-7d3e-9a41-6f2c8e0b1d57'],
  },
};

function takesKey(method: MethodInfo, binding: HttpBinding): boolean {
  return binding.method === 'POST' && takesIdempotencyKey(method);
}

/** Whether the read object has a version. */
function answersTag(method: MethodInfo, binding: HttpBinding): boolean {
  return binding.method === 'GET' && isVersioned(method, binding);
}

function isVersioned(method: MethodInfo, binding: HttpBinding): boolean {
  const only = method.response.fields.find((field) => field.protoName === binding.responseBody)?.message;
  const { fields } = only ?? method.response;
  return (
    !method.policy!.discloses && fields.some((field) => field.protoName === 'row_version' && !field.repeated)
  );
}

function takesIfMatch(method: MethodInfo, binding: HttpBinding): boolean {
  return binding.method !== 'GET' && method.request.fields.some((field) => field.protoName === 'row_version');
}

/** Whether the operation supports conditions, or refuses them with 412. */
function isChange(binding: HttpBinding): boolean {
  return binding.method !== 'GET' && binding.method !== 'POST';
}

function requestBody(method: MethodInfo, elsewhere: ReadonlySet<string>, schemas: MessageSchemas) {
  const required =
    method.request.oneOf.length > 0 ||
    method.request.fields.some((field) => isRequiredInput(field) && !elsewhere.has(field.protoName));
  return {
    required,
    content: { 'application/json': { schema: schemas.reference(method.request, 'input', elsewhere) } },
  };
}

function responses(method: MethodInfo, binding: HttpBinding, schemas: MessageSchemas) {
  const policy = method.policy!;
  const names = method.request.fields.some(
    ({ rules }) => rules?.format === 'id' && (rules.required || binding.body),
  );
  const changes = binding.method !== 'GET' && !policy.reads;
  const statuses = [
    '400',
    ...(policy.public ? [] : ['401', '403']),
    ...(names ? ['404'] : []),
    ...(changes ? ['409'] : []),
    ...(takesKey(method, binding) ? ['422'] : []),
    ...(takesIfMatch(method, binding) || isChange(binding) ? ['412'] : []),
    ...(binding.body ? ['413', '415'] : []),
    '429',
    '503',
    'default',
  ];
  const done = success(method, binding, schemas);
  const successes = [policy.successStatus || 200, ...policy.otherSuccessStatuses].sort();
  return {
    ...Object.fromEntries(successes.map((status) => [status, done])),
    ...(answersTag(method, binding)
      ? { '304': { description: 'The object still has an ETag of If-None-Match.' } }
      : {}),
    ...Object.fromEntries(statuses.map((status) => [status, PROBLEM_REF])),
  };
}

function success(method: MethodInfo, binding: HttpBinding, schemas: MessageSchemas) {
  if (method.policy!.successStatus === 204) return { description: 'Done.' };
  if (method.responseStream) {
    return {
      description: 'A download.',
      headers: { 'Content-Disposition': { schema: { type: 'string' } } },
      content: Object.fromEntries(
        method.policy!.mediaTypes.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
      ),
    };
  }
  const only = binding.responseBody
    ? method.response.fields.find((field) => field.protoName === binding.responseBody)?.message
    : undefined;
  const status = statusFieldOf(method);
  const hidden = new Set(status && !only ? [status.protoName] : []);
  const info = only ?? method.response;
  const etag = isVersioned(method, binding)
    ? {
        ETag: {
          schema: { type: 'string', examples: ['"3-mZ1xQ0a9Lw7vK2sT"'] },
          description: 'The rowVersion of the object, and a digest of its representation.',
        },
      }
    : {};
  return {
    description: 'Done.',
    headers: { ...etag, ...LIMIT_HEADERS },
    content: { 'application/json': { schema: schemas.reference(info, 'output', hidden) } },
  };
}
