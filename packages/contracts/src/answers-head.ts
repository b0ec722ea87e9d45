import type { HttpBinding, MethodInfo } from './method-info.ts';

/**
 * Whether a binding also answers HEAD: every GET does, unless its answer contains a secret or is recorded as
 * handed over.
 */
export function answersHead({ policy }: MethodInfo, binding: HttpBinding): boolean {
  return binding.method === 'GET' && !policy!.discloses && !policy!.handsOver;
}
