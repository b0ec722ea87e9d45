import { isClavigerError } from '@claviger/errors';
import { type SectionValues, sections } from '@claviger/settings';
import type { BreakglassDeps } from './deps.ts';

export type BreakglassSettings = SectionValues<'breakglass'>['breakglass'];

/**
 * The policy of a tenant. If auth is unavailable, the last known settings or the defaults apply, so that an
 * emergency is not blocked.
 */
export async function breakglassSettings(
  deps: BreakglassDeps,
  tenantId: string,
): Promise<BreakglassSettings> {
  try {
    return (await deps.settings.read(tenantId)).values.breakglass;
  } catch (error) {
    if (!isClavigerError(error) || !['unavailable', 'deadline_exceeded'].includes(error.reason)) throw error;
    deps.logger.warn({ err: error }, 'the policy of emergency access cannot be read: the defaults apply');
    return sections.breakglass.defaults;
  }
}
