import { recordExposure } from '../disclosure/record-exposure.ts';
import type { VaultTx } from '../schema.ts';
import type { EmergencyDeps } from './deps.ts';
import { rotateDisclosed } from './end-emergency-session.ts';
import { type JournaledDisclosure, outboxRowOf } from './journal-entry.ts';

/**
 * Stores a disclosure of the journal in one transaction: its row, audit event and exposure. Returns false if
 * it was stored before.
 */
export async function recordDisclosure(
  deps: Pick<EmergencyDeps, 'database'>,
  entry: JournaledDisclosure,
  at: { readonly node: string; readonly seq: number; readonly fromJournal: boolean },
): Promise<boolean> {
  return deps.database.withTenant(entry.tenantId, async (tx) => {
    const inserted = await tx
      .insertInto('emergency_disclosures')
      .values({
        tenant_id: entry.tenantId,
        event_id: entry.eventId,
        session_id: entry.sessionId,
        user_id: entry.userId,
        entry_id: entry.entryId,
        version: entry.version,
        disclosed_at: entry.disclosedAt,
        node: at.node,
        journal_seq: at.seq,
        from_journal: at.fromJournal,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('event_id')
      .executeTakeFirst();
    if (!inserted) return false;
    await tx.insertInto('outbox').values(outboxRowOf(entry)).execute();
    await recordExposure(tx, entry.tenantId, {
      entryId: entry.entryId,
      version: entry.version,
      userId: entry.userId,
      userName: nameOf(entry),
      kind: 'emergency',
      via: entry.sessionId,
    });
    if (await hasEnded(tx, entry.sessionId)) await rotateDisclosed(tx, entry.sessionId);
    return true;
  });
}

/** The user's name in the audit event. */
function nameOf(entry: JournaledDisclosure): string {
  const event = JSON.parse(entry.payload) as { actorName?: string };
  return event.actorName ?? '';
}

/**
 * Takes a share lock: the end of the session waits for this record and then sees it, or this record sees the
 * end.
 */
async function hasEnded(tx: VaultTx, sessionId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('emergency_sessions')
    .select('ended_at')
    .where('id', '=', sessionId)
    .forShare()
    .executeTakeFirst();
  return row?.ended_at !== null;
}
