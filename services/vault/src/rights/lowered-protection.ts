import { createHash } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { canonicalJson } from '@claviger/merkle';
import type { CallContext } from '@claviger/service-kit';
import type { LockedEntry } from '../entries/entry-store.ts';
import type { VaultTx } from '../schema.ts';
import type { RightsDeps } from './deps.ts';
import { requireAccess } from './require-access.ts';

/** What an entry requires for a disclosure. */
export interface Protection {
  readonly requiresGrant: boolean;
  readonly requiresReason: boolean;
}

/** Workflow's answer about one change of one state of the entry. */
export interface LoweringDecision {
  readonly digest: string;
  /** Empty if no policy applies to the entry. */
  readonly requestId: string;
}

type Protected = Pick<LockedEntry, 'id' | 'protection_version' | 'requires_grant' | 'requires_reason'>;

export const protectionOf = (entry: Protected): Protection => ({
  requiresGrant: entry.requires_grant,
  requiresReason: entry.requires_reason,
});

export function lowers(before: Protection, after: Protection): boolean {
  return (before.requiresGrant && !after.requiresGrant) || (before.requiresReason && !after.requiresReason);
}

/**
 * Asks workflow, before the transaction, whether a change may lower the protection. Returns undefined if the
 * change does not lower it. Throws conflict `approval_required` with the request that is open, and
 * `unavailable` while workflow does not answer.
 */
export async function askForLowering(
  deps: RightsDeps,
  context: CallContext,
  entryId: string,
  wanted: { readonly requiresGrant?: boolean | undefined; readonly requiresReason?: boolean | undefined },
  reason: string,
): Promise<LoweringDecision | undefined> {
  if (wanted.requiresGrant !== false && wanted.requiresReason !== false) return undefined;
  const entry = await deps.database.readTenant(context.tenantId, async (reader) => {
    const row = await reader
      .selectFrom('entries')
      .leftJoin('assets', 'assets.id', 'entries.asset_id')
      .leftJoin('modules', 'modules.id', 'assets.module_id')
      .select([
        'entries.id',
        'entries.name',
        'entries.asset_id',
        'entries.protection_version',
        'entries.requires_grant',
        'entries.requires_reason',
        'assets.name as asset_name',
        'modules.type as module_type',
      ])
      .where('entries.id', '=', entryId)
      .where('entries.status', '=', 'active')
      .executeTakeFirst();
    if (!row) throw ClavigerError.notFound();
    const lowered = lowers(protectionOf(row), afterOf(row, wanted));
    await requireAccess(reader, context, row, lowered ? 'full' : undefined);
    return lowered ? row : undefined;
  });
  if (!entry) return undefined;
  const change = { before: protectionOf(entry), after: afterOf(entry, wanted) };
  const digest = digestOf(entry, change.after);
  // No policy applies to an entry that belongs to no resource and requires no grant.
  if (!entry.asset_id && !entry.requires_grant) return { digest, requestId: '' };
  const { requestId, sourceAddress, deadline, signal, actorToken } = context;
  const answer = await deps.protection.requestProtectionChange(
    {
      entryId,
      entryName: entry.name,
      resourceId: entry.asset_id ?? '',
      resourceName: entry.asset_name ?? '',
      moduleType: entry.module_type ?? '',
      change,
      changeDigest: digest,
      reason,
    },
    { requestId, sourceAddress, deadline, signal, ...(actorToken ? { actorToken } : {}) },
  );
  if (!answer.governed) return { digest, requestId: '' };
  if (answer.status !== 'approved') throw approvalRequired(answer.requestId);
  return { digest, requestId: answer.requestId };
}

/**
 * Uses the decision in the transaction, with the entry locked. It is valid for this state and this change,
 * and once. Throws `precondition_failed` if the entry changed after workflow was asked.
 */
export async function useLoweringDecision(
  tx: VaultTx,
  context: CallContext,
  entry: LockedEntry,
  after: Protection,
  decision: LoweringDecision | undefined,
): Promise<void> {
  if (!lowers(protectionOf(entry), after)) return;
  if (decision?.digest !== digestOf(entry, after)) {
    throw new ClavigerError('precondition_failed', 'The protection of the entry changed during the call.', {
      hint: 'Read it again and repeat the change.',
    });
  }
  if (decision.requestId === '') return;
  await tx
    .insertInto('protection_decisions')
    .values({
      tenant_id: context.tenantId,
      request_id: decision.requestId,
      entry_id: entry.id,
      changed_by: context.actor.userId,
    })
    .execute();
}

function afterOf(
  entry: Protected,
  wanted: { readonly requiresGrant?: boolean | undefined; readonly requiresReason?: boolean | undefined },
): Protection {
  return {
    requiresGrant: wanted.requiresGrant ?? entry.requires_grant,
    requiresReason: wanted.requiresReason ?? entry.requires_reason,
  };
}

/** Hex SHA-256. It contains the protection version, so an approval is valid for one state of the entry. */
function digestOf(entry: Protected, after: Protection): string {
  const text = canonicalJson({
    entryId: entry.id,
    protectionVersion: entry.protection_version,
    before: protectionOf(entry),
    after: { requiresGrant: after.requiresGrant, requiresReason: after.requiresReason },
  });
  return createHash('sha256').update(text).digest('hex');
}

function approvalRequired(requestId: string): ClavigerError {
  return new ClavigerError('conflict', 'A lower protection of this entry needs an approval.', {
    code: 'approval_required',
    approvalRequestId: requestId,
    hint: `When the request ${requestId} is approved, repeat the same change.`,
  });
}
