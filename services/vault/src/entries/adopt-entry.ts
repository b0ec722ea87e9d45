import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, type Handler, peopleBehind } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import { activeUsers } from '../rights/active-users.ts';
import { type AdoptionVerdict, decideAdoption } from '../rights/adoption-rule.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import type { VaultReader, VaultTx } from '../schema.ts';
import type { EntriesDeps } from './deps.ts';
import { entrySubject, type LockedEntry } from './entry-store.ts';

const PROPOSAL_HOURS = 72;

/**
 * Takes over an entry whose owner has left, according to auth now. If two administrators call at the same
 * time, one proposes and the other confirms.
 */
export function adoptEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.adoptEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const { actor, tenantId } = context;
    const named = await deps.database.readTenant(tenantId, (reader) => namedIn(reader, id));
    const active = await activeUsers(deps, context, [...named]);
    return deps.database.withTenant(tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      const now = await namedIn(tx, id);
      // The status of a user who was named in the meantime is unknown.
      if (now.some((each) => each !== null && !named.includes(each))) throw changedMeanwhile();
      const [ownerId, resourceOwnerId] = now;
      const proposal = await openProposal(tx, entry);
      const verdict = decideAdoption({ ownerId, resourceOwnerId, active, proposal }, actor);
      if (verdict.kind === 'refused') throw refusal(verdict.because);
      if (verdict.kind === 'proposed') return propose(deps, tx, context, entry, request.reason);
      await tx
        .updateTable('entries')
        .set({
          owner_id: verdict.ownerId,
          row_version: entry.row_version + 1,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute();
      await tx.deleteFrom('entry_adoptions').where('entry_id', '=', id).execute();
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        reason: request.reason,
        details: {
          before: { ownerId },
          after: { ownerId: verdict.ownerId },
          ...(proposal ? { proposedBy: proposal.proposedBy } : {}),
        },
      });
      return { state: 'adopted', ownerId: verdict.ownerId, expiresAt: undefined };
    });
  };
}

/** The entry's owner, its resource's owner, and who proposed to adopt the entry. Throws `not_found`. */
async function namedIn(reader: VaultReader, id: string) {
  const row = await reader
    .selectFrom('entries')
    .leftJoin('assets', 'assets.id', 'entries.asset_id')
    .leftJoin('entry_adoptions', 'entry_adoptions.entry_id', 'entries.id')
    .select(['entries.owner_id', 'assets.owner_id as resource_owner_id', 'entry_adoptions.proposed_by'])
    .where('entries.id', '=', id)
    .where('entries.status', '=', 'active')
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return [row.owner_id, row.resource_owner_id, row.proposed_by] as const;
}

async function openProposal(tx: VaultTx, entry: LockedEntry) {
  const row = await tx
    .selectFrom('entry_adoptions')
    .select(['proposed_by', 'proposers'])
    .where('entry_id', '=', entry.id)
    .where('former_owner_id', 'is not distinct from', entry.owner_id)
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .executeTakeFirst();
  return row && { proposedBy: row.proposed_by, proposers: row.proposers };
}

/** Stores a proposal. It replaces one that expired or whose proposer has left. */
async function propose(
  deps: EntriesDeps,
  tx: VaultTx,
  context: CallContext,
  entry: LockedEntry,
  reason: string,
): Promise<vault.AdoptEntryResponse> {
  const { actor, tenantId } = context;
  const proposed = {
    former_owner_id: entry.owner_id,
    proposed_by: actor.userId,
    proposed_by_name: actor.userName,
    proposers: [...peopleBehind(actor)],
    reason,
    proposed_at: sql<Date>`clock_timestamp()`,
    expires_at: sql<Date>`clock_timestamp() + make_interval(hours => ${PROPOSAL_HOURS}::int)`,
  };
  const { expires_at } = await tx
    .insertInto('entry_adoptions')
    .values({ tenant_id: tenantId, entry_id: entry.id, ...proposed })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'entry_id']).doUpdateSet(proposed))
    .returning('expires_at')
    .executeTakeFirstOrThrow();
  await deps.emitter.audit(tx, context, {
    action: 'vault.entry.adoption-proposed',
    subject: entrySubject(entry),
    reason,
    details: { formerOwnerId: entry.owner_id, ownerId: actor.userId },
  });
  return { state: 'proposed', ownerId: actor.userId, expiresAt: time(expires_at) };
}

function refusal(because: Extract<AdoptionVerdict, { kind: 'refused' }>['because']): ClavigerError {
  switch (because) {
    case 'owner_present':
      return new ClavigerError('conflict', 'The owner of this entry is still active.', {
        code: 'owner_present',
        hint: 'Ask the owner to share the entry.',
      });
    case 'resource_owner_adopts':
      return new ClavigerError('denied', 'Only the owner of the resource can adopt this entry.', {
        code: 'resource_owner_adopts',
        hint: 'Ask the owner of the resource, who is named in the resource.',
      });
    case 'two_administrators':
      return new ClavigerError(
        'denied',
        'An entry without an owner needs two people with vault.entries.adopt.',
        {
          hint: 'Ask two administrators, or give the resource an owner, who can adopt the entry.',
        },
      );
    case 'second_person':
      return new ClavigerError('denied', 'Another administrator must confirm your proposal.', {
        code: 'second_person_needed',
        hint: 'Ask another administrator to adopt the entry. It then becomes yours.',
      });
    default:
      return because satisfies never;
  }
}

function changedMeanwhile(): ClavigerError {
  return new ClavigerError('precondition_failed', 'The owner changed during the call.', {
    hint: 'Read the entry again, then repeat the call.',
  });
}
