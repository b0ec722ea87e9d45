import type { FieldInfo, HttpBinding, MethodInfo } from '@claviger/contracts';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

/** By parameter name: a shared object for reads, and a new object for changes. */
const OBJECTS: Readonly<Record<string, { shared(w: World): string; fresh(w: World): Promise<string> }>> = {
  user_id: { shared: (w) => w.userId, fresh: async (w) => (await w.createUser()).id },
  resource_id: { shared: (w) => w.resourceId, fresh: (w) => w.createResource() },
  entry_id: { shared: (w) => w.entryId, fresh: (w) => w.createEntry({ detached: true }) },
  module_id: { shared: (w) => w.moduleId, fresh: (w) => w.createModule() },
  request_id: { shared: (w) => w.requestId, fresh: (w) => w.createRequest() },
  grant_id: { shared: (w) => w.grantId, fresh: async (w) => (await w.createGrant()).grantId },
  device_id: { shared: (w) => w.deviceId, fresh: async (w) => (await w.createDevice()).deviceId },
};

/** Permissions for one's own objects: the requester calls instead of the administrator. */
const OF_REQUESTERS = ['requests.create', 'grants.use'];

/**
 * A call that should succeed, derived from the declaration: objects of the world for path parameters, and a
 * valid value for each required field. Returns undefined if the declaration does not suffice: such an
 * operation needs a sample in `samples.ts`.
 */
export function derivedSample(
  { policy, request }: MethodInfo,
  binding: HttpBinding,
): ((world: World) => Promise<Sample>) | undefined {
  const names = [...binding.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const required = request.fields.filter(
    ({ rules, protoName }) => rules?.required && !names.includes(protoName),
  );
  const objects = names.map((name) => [name, OBJECTS[name]] as const);
  const values = required.map((field) => [field.jsonName, allowedValue(field)] as const);
  const isClear =
    objects.every(([, object]) => object) &&
    values.every(([, value]) => value !== undefined) &&
    request.oneOf.length === 0 &&
    request.rule === '' &&
    (binding.body || required.length === 0) &&
    !policy!.agent;
  if (!isClear) return undefined;
  return async (w) => {
    const params: Record<string, string> = {};
    for (const [name, object] of objects)
      params[name] = binding.method === 'GET' ? object!.shared(w) : await object!.fresh(w);
    return {
      params,
      ...(binding.body ? { body: Object.fromEntries(values) } : {}),
      ...(OF_REQUESTERS.includes(policy!.permission) ? { client: w.requester.client } : {}),
    };
  };
}

/** A value that the rules of the field allow; undefined if the rules do not determine valid values. */
function allowedValue({ kind, rules, repeated }: FieldInfo): unknown {
  if (repeated || rules!.rule || rules!.pattern) return undefined;
  if (rules!.allowed.length > 0) return rules!.allowed[0];
  if (kind === 'integer') return rules!.hasRange ? rules!.minimum : 1;
  if (kind === 'bool') return true;
  if (kind !== 'string' || !['', 'text', 'line'].includes(rules!.format)) return undefined;
  return 'conformance'.padEnd(rules!.minLength, '.').slice(0, rules!.maxLength || undefined);
}
