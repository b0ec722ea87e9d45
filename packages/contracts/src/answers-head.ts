import type { HttpBinding, MethodInfo } from './method-info.ts';

/**
 * Whether HEAD works where a binding is served: on every GET, except where the answer carries a secret or is recorded as
 * handed over.
 */
export function answersHead({ policy }: MethodInfo, binding: HttpBinding): boolean {
  return binding.method === 'GET' && !policy!.discloses && !policy!.handsOver;
}
