import { publicOrListed, type TargetPolicy } from '@claviger/outbound';
import type { WorkflowConfig } from '../../config.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/**
 * Where a provider may be: public addresses, and the networks that the operator lists. This machine itself only outside of
 * production: a tenant could otherwise reach what listens on loopback.
 */
export function providerPolicy({
  environment,
  assistant,
}: Pick<WorkflowConfig, 'environment' | 'assistant'>): TargetPolicy {
  const own = environment === 'production' ? [] : LOOPBACK;
  return publicOrListed({ cidrs: [...assistant.allowedCidrs, ...own] });
}
