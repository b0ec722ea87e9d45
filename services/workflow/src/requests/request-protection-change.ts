import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { findPolicy } from '../policies/policy-store.ts';
import type { RequestsDeps } from './deps.ts';
import { requestChange } from './request-change.ts';

/**
 * For the vault, on behalf of an actor with full access who lowers the protection of an entry. The policy of
 * the resource, or the default, governs an entry that requires a grant; other entries are governed only by a
 * policy of their own resource. Repeatable: a change has one pending or approved request. The vault uses an
 * approval once, because it changes the state that the digest names.
 */
export function requestProtectionChange(
  deps: RequestsDeps,
): Handler<typeof workflow.ProtectionService.requestProtectionChange> {
  return async (request, context) => {
    const entryId = request.entryId;
    const resourceId = request.resourceId || null;
    if (!request.change?.before || !request.change.after)
      throw ClavigerError.invalid('/change', 'needs before and after');
    const policy = await deps.database.readTenant(context.tenantId, (reader) =>
      findPolicy(reader, resourceId),
    );
    if (!request.change.before.requiresGrant && !policy.customised)
      return { governed: false, requestId: '', status: '' };
    const { id, status } = await requestChange(deps, context, {
      kind: 'protection',
      entryId,
      entryName: request.entryName,
      resourceId,
      resourceName: request.resourceName,
      moduleType: request.moduleType,
      change: { before: request.change.before, after: request.change.after },
      changeDigest: request.changeDigest,
      reason: request.reason.trim() || 'lowers the protection of the entry',
    });
    return { governed: true, requestId: id, status };
  };
}
