import { type Platform, publicOrListed, type TargetPolicy } from '@claviger/outbound';
import type { WorkflowConfig } from '../../config.ts';

/** Where a provider may be: public addresses, the networks that the operator lists, and the addresses that the operator opened. */
export function providerPolicy(
  { assistant }: Pick<WorkflowConfig, 'assistant'>,
  platform: Platform,
): () => TargetPolicy {
  return () => publicOrListed({ cidrs: assistant.allowedCidrs }, platform.rules());
}
