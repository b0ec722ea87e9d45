import type { RotationTrigger } from '../schema.ts';

/** The triggers of a rotation that replaces what somebody has seen. */
export type DisclosureTrigger = Extract<RotationTrigger, 'grant-ended' | 'exposure'>;

/** Somebody has seen the secret who shall not keep the account: it is changed whatever the target says to it. */
export function isDisclosure(trigger: RotationTrigger): trigger is DisclosureTrigger {
  return trigger === 'grant-ended' || trigger === 'exposure';
}
