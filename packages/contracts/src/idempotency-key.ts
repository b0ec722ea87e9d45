import type { MethodInfo } from './method-info.ts';

/** Whether a method accepts an Idempotency-Key: a POST with an effect, by an authenticated actor. */
export function takesIdempotencyKey(method: MethodInfo): boolean {
  const { policy } = method;
  if (!policy || policy.audit === '' || policy.reads) return false;
  if (policy.public || policy.internal || method.responseStream) return false;
  return method.http.some((binding) => binding.method === 'POST');
}
