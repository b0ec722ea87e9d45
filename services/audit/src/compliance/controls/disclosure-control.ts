import type { Control } from '@claviger/compliance-package';
import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import { sql } from 'kysely';
import { evidenceRows } from '../building/evidence-pages.ts';
import { type Assessment, assessedControl, LOOK_BACK_DAYS } from './assessment.ts';

const DISCLOSING = [
  'vault.entry.retrieved',
  'vault.credentials.delivered',
  'vault.entry.candidates-recovered',
];
const BATCH = 500;
/** Time allowed for an event to reach the log. It takes seconds, or minutes after an outage of NATS. */
const ARRIVAL_MS = 2 * 60_000;

/** Compares the vault's exposures with the events in the log. */
export async function disclosureControl(assessment: Assessment): Promise<Control[]> {
  const { deps, call, from, now } = assessment;
  const range = { from: from.toISOString(), before: new Date(now.getTime() - ARRIVAL_MS).toISOString() };
  let examined = 0;
  let violations = 0;
  let batch: vaultEvidence.ExposureEvidence[] = [];
  const flush = async (): Promise<void> => {
    examined += batch.length;
    violations += await unrecorded(assessment, batch);
    batch = [];
  };
  for await (const row of evidenceRows(deps.evidence.vault.listExposureEvidence, range, call)) {
    batch.push(row);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return [
    assessedControl({
      id: 'disclosures-recorded',
      title: 'Every disclosure of a secret has its audit event',
      examined,
      violations,
      detail: `The latest disclosure of each user and entry, if between two minutes and ${LOOK_BACK_DAYS} days old.`,
      computedFrom: 'vault: exposures, by entry and user; audit: allowed events that disclose',
    }),
  ];
}

/** Counts rows without an event of that actor and entry within a minute of the last disclosure. */
async function unrecorded(
  { deps, tenantId }: Assessment,
  batch: readonly vaultEvidence.ExposureEvidence[],
): Promise<number> {
  if (batch.length === 0) return 0;
  const { rows } = await deps.database.readTenant(tenantId, (reader) =>
    sql<{ missing: number }>`
      SELECT count(*) AS missing
      FROM unnest(${batch.map((row) => row.entryId)}::text[], ${batch.map((row) => row.userId)}::text[],
        ${batch.map((row) => row.lastSeenAt)}::timestamptz[]) AS seen (entry_id, user_id, at)
      WHERE NOT EXISTS (SELECT FROM events
        WHERE events.tenant_id = current_tenant() AND events.subject_id = seen.entry_id
          AND events.actor_id = seen.user_id AND events.outcome = 'allowed'
          AND events.action = ANY (${DISCLOSING}::text[])
          AND events.occurred_at BETWEEN seen.at - interval '1 minute' AND seen.at + interval '1 minute')`.execute(
      reader,
    ),
  );
  return rows[0]!.missing;
}
