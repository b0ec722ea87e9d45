import { type MethodInfo, methodOf, redact, validateMessage } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, permits } from '@claviger/service-kit';

/** An operation of the contract, and the call that runs it in the name of the caller. */
interface Operation<Q, S> {
  readonly path: string;
  readonly requestDeserialize: (value: Buffer) => Q;
  readonly responseDeserialize: (value: Buffer) => S;
}

/**
 * Reads as the caller. Throws the errors that the caller would receive: `denied` without the permission,
 * `not_found` for invisible objects. The answer contains only public fields.
 */
export interface ReadAsCaller<Q, S> {
  readonly method: MethodInfo;
  (request: Partial<Q>, context: CallContext): Promise<Partial<S>>;
}

/**
 * Wraps an operation for the assistant. Throws at start-up for an operation that is not a plain GET,
 * discloses something, writes an audit event or requires more than a permission: nothing that the assistant
 * can call changes anything.
 */
export function readAsCaller<Q extends object, S extends object>(
  operation: Operation<Q, S>,
  call: (request: Q, context: CallContext) => Promise<S>,
): ReadAsCaller<Q, S> {
  const method = methodOf(operation.path);
  const { policy, http } = method;
  const reads = http.length > 0 && http.every((binding) => binding.method === 'GET');
  if (!reads || !policy?.permission || policy.discloses || policy.audit || policy.stepUp || policy.platform)
    throw new Error(
      `${method.path} is not allowed for the assistant: only a GET with a permission, without step-up or audit event, is.`,
    );
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
