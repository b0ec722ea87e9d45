import { sql } from 'kysely';
import type { EncryptionDeps } from './deps.ts';
import type { Progress } from './exchange-kek.ts';
import { changeKeyJob, type HeldJob, type KeyJobRow } from './key-jobs-store.ts';
import { type Finding, rewrapRows, storeFindings } from './rewrap-rows.ts';
import { ENCRYPTED_COLUMNS } from './secrets.ts';

/** Sorts before every entry. */
const BEGINNING = { entryId: '00000000-0000-0000-0000-000000000000', version: 0 };

/**
 * Checks that every DEK of the tenant decrypts and matches its secret. A DEK under a former KEK is rewrapped.
 * One that does not decrypt is reported and not replaced: a new DEK would only hide the loss of the secret.
 */
export async function checkKeys(
  deps: EncryptionDeps,
  held: HeldJob,
  job: KeyJobRow,
  signal: AbortSignal,
): Promise<Progress> {
  let at = job.cursor_entry_id
    ? { entryId: job.cursor_entry_id, version: job.cursor_version ?? 0 }
    : await begin(deps, held);
  for (;;) {
    if (signal.aborted) return { againInSeconds: 0 };
    const next = await repairBatch(deps, held, at);
    if (!next) break;
    at = next;
  }
  await reportMissing(deps, held);
  return 'done';
}

async function begin(deps: EncryptionDeps, held: HeldJob): Promise<typeof BEGINNING> {
  await deps.database.withTenant(held.tenantId, async (tx) => {
    const { total } = await tx
      .selectFrom('entry_versions')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .where('purged_at', 'is', null)
      .executeTakeFirstOrThrow();
    await changeKeyJob(tx, deps, held, { total });
  });
  return BEGINNING;
}

async function repairBatch(
  deps: EncryptionDeps,
  held: HeldJob,
  after: typeof BEGINNING,
): Promise<typeof BEGINNING | undefined> {
  const kek = await deps.keys.active(held.tenantId);
  return deps.database.withTenant(held.tenantId, async (tx) => {
    const rows = await tx
      .selectFrom('entry_versions')
      .select(ENCRYPTED_COLUMNS)
      .where('purged_at', 'is', null)
      .where(sql<boolean>`(entry_id, version) > (${after.entryId}::uuid, ${after.version}::int)`)
      .orderBy('entry_id')
      .orderBy('version')
      .limit(deps.config.encryption.batchSize)
      .forUpdate()
      .execute();
    const last = rows.at(-1);
    if (!last) return undefined;
    const { rewrapped, broken } = await rewrapRows(tx, deps.keys, kek, rows);
    const repaired = rewrapped.map(
      (row): Finding => ({
        entryId: row.entry_id,
        version: row.version,
        outcome: 'repaired',
        problem: 'outdated_key',
      }),
    );
    await storeFindings(tx, held, [...repaired, ...broken]);
    await changeKeyJob(tx, deps, held, {
      processed: sql<number>`processed + ${rows.length}`,
      rewrapped: sql<number>`rewrapped + ${rewrapped.length}`,
      unrecoverable: sql<number>`unrecoverable + ${broken.length}`,
      cursor_entry_id: last.entry_id,
      cursor_version: last.version,
    });
    return { entryId: last.entry_id, version: last.version };
  });
}

/** Reports entries without a row for their current version. */
async function reportMissing(deps: EncryptionDeps, held: HeldJob): Promise<void> {
  await deps.database.withTenant(held.tenantId, async (tx) => {
    const missing = await tx
      .selectFrom('entries')
      .leftJoin('entry_versions as v', (join) =>
        join
          .onRef('v.tenant_id', '=', 'entries.tenant_id')
          .onRef('v.entry_id', '=', 'entries.id')
          .onRef('v.version', '=', 'entries.current_version'),
      )
      .select(['entries.id', 'entries.current_version'])
      .where('entries.status', '=', 'active')
      .where('v.version', 'is', null)
      .execute();
    await changeKeyJob(tx, deps, held, { unrecoverable: sql<number>`unrecoverable + ${missing.length}` });
    await storeFindings(
      tx,
      held,
      missing.map(({ id, current_version }) => ({
        entryId: id,
        version: current_version,
        outcome: 'unrecoverable',
        problem: 'missing_version',
      })),
    );
  });
}
