import { type Platform, publicOrListed, type TargetPolicy } from '@claviger/outbound';
import type { WorkflowConfig } from '../../config.ts';

/**
 * Allowed addresses of providers: public addresses, and the networks and addresses that the operator
 * configures.
 */
export function providerPolicy(
  { assistant }: Pick<WorkflowConfig, 'assistant'>,
  platform: Platform,
): () => TargetPolicy {
  return () => publicOrListed({ cidrs: assistant.allowedCidrs }, platform.rules());
}
