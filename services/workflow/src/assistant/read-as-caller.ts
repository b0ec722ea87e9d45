import { type MethodInfo, methodOf, redact, validateMessage } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, permits } from '@claviger/service-kit';

/** An operation as the assistant may use it: what it is, and how it is called in the name of whoever asks. */
interface Operation<Q, S> {
  readonly path: string;
  readonly requestDeserialize: (value: Buffer) => Q;
  readonly responseDeserialize: (value: Buffer) => S;
}

/**
 * Asks for something as the caller. Throws what the caller would get: `denied` without the permission, `not_found` for what
 * they may not see. The answer holds public fields only, whatever was sent.
 */
export interface ReadAsCaller<Q, S> {
  readonly method: MethodInfo;
  (request: Partial<Q>, context: CallContext): Promise<Partial<S>>;
}

/**
 * Wraps an operation for the assistant. One that is not a plain GET, discloses something, leaves an audit event or needs more than
 * a permission is refused here, when the service starts: nothing that the assistant can reach changes anything.
 */
export function readAsCaller<Q extends object, S extends object>(
  operation: Operation<Q, S>,
  call: (request: Q, context: CallContext) => Promise<S>,
): ReadAsCaller<Q, S> {
  const method = methodOf(operation.path);
  const { policy, http } = method;
  const reads = http.length > 0 && http.every((binding) => binding.method === 'GET');
  if (!reads || !policy?.permission || policy.discloses || policy.audit || policy.stepUp || policy.platform)
    throw new Error(`${method.path} is not for the assistant: it may only read what a permission opens.`);
  const read = async (fields: Partial<Q>, context: CallContext): Promise<Partial<S>> => {
    if (!permits(context.actor.permissions, policy.permission))
      throw new ClavigerError('denied', `The permission ${policy.permission} is needed.`);
    const request = { ...operation.requestDeserialize(Buffer.alloc(0)), ...fields };
    const problems = validateMessage(method.request, request);
    if (problems.length > 0)
      throw new ClavigerError('invalid', 'The request is not valid.', { fields: problems });
    return redact(method.response, await call(request, context)) as Partial<S>;
  };
  return Object.assign(read, { method });
}
