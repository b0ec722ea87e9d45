import { AccessLevel } from './generated/claviger/options/v1/options.ts';
import type { FieldInfo, MessageInfo, MethodInfo } from './method-info.ts';

/** Maximum size of any request body on the REST edge. */
export const MAX_BODY_BYTES = 1_048_576;
/** Maximum size of the body of a public operation, whose sender is unknown. */
export const MAX_PUBLIC_BODY_BYTES = 16_384;

/** Maximum size in bytes of the request body of this method on the REST edge. */
export function bodyLimitOf({ policy }: MethodInfo): number {
  return policy!.maxBodyBytes || (policy!.public ? MAX_PUBLIC_BODY_BYTES : MAX_BODY_BYTES);
}

/** The response field that contains the success status; undefined when there is only one status. */
export function statusFieldOf({ policy, response }: MethodInfo): FieldInfo | undefined {
  const name = policy?.statusField ?? '';
  return name === '' ? undefined : response.fields.find((field) => field.protoName === name);
}

/** The request field in which the edge lists the fields of the body. */
export function updateMaskOf(request: MessageInfo): FieldInfo | undefined {
  return request.fields.find((field) => field.protoName === 'update_mask');
}

/**
 * Describes how the options of a method contradict its messages or bindings; undefined when they do not. A
 * service or gateway with such a method does not start.
 */
export function contractProblem(method: MethodInfo): string | undefined {
  return (
    statusProblem(method) ??
    bodyProblem(method) ??
    maskProblem(method) ??
    nullProblem(method) ??
    accessProblem(method) ??
    alternativesProblem(method) ??
    mediaProblem(method)
  );
}

function statusProblem(method: MethodInfo): string | undefined {
  const { statusField, otherSuccessStatuses, successStatus } = method.policy!;
  if (statusField === '')
    return otherSuccessStatuses.length > 0
      ? 'names other statuses of success but no status_field'
      : undefined;
  const field = statusFieldOf(method);
  if (field?.kind !== 'integer' || !field.int32 || field.repeated || field.optional || field.oneof)
    return `names the status_field ${statusField}, which is no plain int32 field of its response`;
  const all = [successStatus || 200, ...otherSuccessStatuses];
  if (all.length < 2) return 'names a status_field but no other_success_statuses';
  if (new Set(all).size < all.length) return 'names a status of success twice';
  if (all.some((status) => status < 200 || status > 299 || status === 204))
    return 'may answer 200 to 299 only, and never 204, where several statuses stand for success';
  if (method.responseStream) return 'answers a stream, which has one status only';
  return undefined;
}

function bodyProblem({ policy, http }: MethodInfo): string | undefined {
  const { maxBodyBytes, reads, handsOver } = policy!;
  const most = policy!.public ? MAX_PUBLIC_BODY_BYTES : MAX_BODY_BYTES;
  if (maxBodyBytes < 0 || maxBodyBytes > most)
    return `allows a body of ${maxBodyBytes} bytes: 1 to ${most} are possible`;
  if (maxBodyBytes > 0 && !http.some(({ body }) => body)) return 'limits the body of requests that have none';
  if (reads && (http.length === 0 || http.some(({ method }) => method !== 'POST')))
    return 'says that it reads, which is for POST alone';
  if (handsOver && (http.length === 0 || http.some(({ method }) => method !== 'GET')))
    return 'says that it hands over, which is for GET alone';
  return undefined;
}

function maskProblem({ request, http }: MethodInfo): string | undefined {
  const mask = updateMaskOf(request);
  if (!mask) return undefined;
  if (mask.kind !== 'string' || !mask.repeated) return 'has an update_mask that is no list of strings';
  return http.every(({ body }) => body) ? undefined : 'has an update_mask but takes no body';
}

/** Whether the request names an entry of the vault, e.g. by `entry_id`, `admin_entry_id` or `entry_ids`. */
export function namesEntry({ request }: MethodInfo): boolean {
  return request.fields.some((field) => /(^|_)entry_ids?$/.test(field.protoName));
}

/** A method that names an entry must declare the access it requires. */
function accessProblem(method: MethodInfo): string | undefined {
  if (method.owner !== 'vault') return undefined;
  const { access } = method.policy!;
  if (namesEntry(method) && access === AccessLevel.ACCESS_LEVEL_UNSPECIFIED)
    return 'names an entry but declares no access';
  if (!namesEntry(method) && access !== AccessLevel.ACCESS_LEVEL_UNSPECIFIED)
    return 'declares access but names no entry';
  return undefined;
}

function alternativesProblem({ request }: MethodInfo): string | undefined {
  const unknown = request.oneOf
    .flat()
    .find((name) => !request.fields.some((field) => field.protoName === name));
  if (unknown !== undefined) return `names ${unknown} in one_of, which is no field of its request`;
  return request.oneOf.length === 1 ? 'has one alternative in one_of: there must be several' : undefined;
}

function mediaProblem({ http, policy, responseStream }: MethodInfo): string | undefined {
  const says = policy!.mediaTypes.length > 0;
  if (responseStream && http.length > 0 && !says) return 'answers a download but names no media_types';
  return !responseStream && says ? 'names media_types, which is for downloads' : undefined;
}

/** Null means absence, so a field that is never absent cannot be null. */
function nullProblem({ request, response }: MethodInfo): string | undefined {
  const seen = new Set<MessageInfo>();
  const check = (info: MessageInfo): string | undefined => {
    if (seen.has(info)) return undefined;
    seen.add(info);
    for (const field of info.fields) {
      if (field.rules?.nullable && !mayBeAbsent(field))
        return `has the nullable field ${info.name}.${field.protoName}, which is never absent: make it optional`;
      const inside = field.message && check(field.message);
      if (inside) return inside;
    }
    return undefined;
  };
  return check(request) ?? check(response);
}

/** Whether a field can be absent, as opposed to empty. */
export function mayBeAbsent({ kind, repeated, optional, oneof }: FieldInfo): boolean {
  if (repeated) return false;
  return optional || oneof !== undefined || kind === 'message' || kind === 'timestamp' || kind === 'struct';
}
