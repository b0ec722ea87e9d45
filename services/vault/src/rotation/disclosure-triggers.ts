import type { RotationTrigger } from '../schema.ts';

/** Triggers of a rotation that replaces a disclosed secret. */
export type DisclosureTrigger = Extract<RotationTrigger, 'grant-ended' | 'exposure'>;

/**
 * An actor who must lose access has seen the secret, so the secret is replaced even if the target no longer
 * accepts it.
 */
export function isDisclosure(trigger: RotationTrigger): trigger is DisclosureTrigger {
  return trigger === 'grant-ended' || trigger === 'exposure';
}
