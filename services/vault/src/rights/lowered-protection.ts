import { createHash } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { canonicalJson } from '@claviger/merkle';
import type { CallContext } from '@claviger/service-kit';
import type { LockedEntry } from '../entries/entry-store.ts';
import type { VaultTx } from '../schema.ts';
import type { RightsDeps } from './deps.ts';
import { requireAccess } from './require-access.ts';

/** What an entry demands of a disclosure. */
export interface Protection {
  readonly requiresGrant: boolean;
  readonly requiresReason: boolean;
}

/** What was said of lowering one state of an entry in one way. */
export interface LoweringDecision {
  readonly digest: string;
  /** Empty where no policy governs the entry. */
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
 * Before the transaction of a change: asks workflow about a protection that it would lower. Undefined when it lowers none. Throws
 * conflict `approval_required` naming the request that was opened or still waits, and `unavailable` while workflow is away.
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
  // No policy governs what belongs to no resource and requires no grant.
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
 * In the transaction, with the entry locked: the decision is for exactly this state and this change, and is used once. Throws
 * `precondition_failed` when the entry was changed since workflow was asked.
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
    throw new ClavigerError('precondition_failed', 'The protection of the entry was changed meanwhile.', {
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

/** Hex SHA-256. The version makes it another one after each change: an approval is for one state of the entry. */
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
  return new ClavigerError('conflict', 'A lower protection of this entry must be approved first.', {
    code: 'approval_required',
    approvalRequestId: requestId,
    hint: `Once the request ${requestId} is approved, repeat the same change.`,
  });
}
