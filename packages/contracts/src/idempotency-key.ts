import type { MethodInfo } from './method-info.ts';

/** Whether an Idempotency-Key has a meaning for a method: a POST that does something, of somebody who is known. */
export function takesIdempotencyKey(method: MethodInfo): boolean {
  const { policy } = method;
  if (!policy || policy.audit === '' || policy.reads) return false;
  if (policy.public || policy.internal || method.responseStream) return false;
  return method.http.some((binding) => binding.method === 'POST');
}
