import { randomUUID } from 'node:crypto';
import { createKek, IntegrityError, type Kek, openSecret, sealSecret } from '@claviger/keyring';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EncryptionDeps } from './deps.ts';
import { changeKeyJob, type HeldJob, type KeyJobRow } from './key-jobs-store.ts';
import { rewrapRows, storeFindings } from './rewrap-rows.ts';
import { SEALED_COLUMNS } from './secrets.ts';

/** Seconds until the job is worked on again, or that it is over, with a reason when it failed. */
export type Progress = { readonly againInSeconds: number } | { readonly failed: string } | 'done';

/**
 * Exchanges the key encryption key. Every step leaves a state from which the next run goes on: the new key is stored and
 * tried before it is used; the old one goes on opening until nothing is under it. A key that wraps something that cannot
 * be opened stays `retiring`.
 */
export async function exchangeKek(
  deps: EncryptionDeps,
  held: HeldJob,
  job: KeyJobRow,
  signal: AbortSignal,
): Promise<Progress> {
  const newKekId = job.new_kek_id ?? (await storeNewKek(deps, held));
  await failpoint('vault.kek.key_stored');
  let kek: Kek;
  try {
    kek = await deps.keys.named(held.tenantId, newKekId);
    tryOut(kek);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    await giveUp(deps, held, newKekId);
    return { failed: `The new key did not open what it had sealed (${error.reason}); the old one stays.` };
  }
  await activate(deps, held, newKekId);
  deps.keys.forgetActive(held.tenantId);
  await failpoint('vault.kek.activated');
  for (;;) {
    if (signal.aborted) return { againInSeconds: 0 };
    const left = await rewrapBatch(deps, held, kek);
    if (left === 'none') break;
    if (left === 'locked') return { againInSeconds: 1 };
  }
  const againInSeconds = await retire(deps, held, newKekId);
  return againInSeconds > 0 ? { againInSeconds } : 'done';
}

/** A new key in the database, wrapped by the root key, not in use yet. */
async function storeNewKek(deps: EncryptionDeps, held: HeldJob): Promise<string> {
  const { tenantId } = held;
  const provider = deps.rootKey();
  const { latest } = await deps.database.readTenant(tenantId, (reader) =>
    reader
      .selectFrom('keks')
      .select((eb) => eb.fn.max<number | null>('version').as('latest'))
      .executeTakeFirstOrThrow(),
  );
  const ids = { tenantId, kekId: randomUUID(), version: (latest ?? 0) + 1 };
  const wrapped = await createKek(provider, ids);
  await deps.database.withTenant(tenantId, async (tx) => {
    const active = await tx.selectFrom('keks').select('id').where('state', '=', 'active').executeTakeFirst();
    await tx
      .insertInto('keks')
      .values({
        tenant_id: tenantId,
        id: ids.kekId,
        version: ids.version,
        wrapped,
        provider_id: provider.id,
        state: 'pending',
      })
      .execute();
    const { total } = await tx
      .selectFrom('entry_versions')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .where('purged_at', 'is', null)
      .executeTakeFirstOrThrow();
    await changeKeyJob(tx, deps, held, { new_kek_id: ids.kekId, old_kek_id: active?.id ?? null, total });
  });
  return ids.kekId;
}

/** Throws IntegrityError when the key that came back from the database is not the one that it should be. */
function tryOut(kek: Kek): void {
  const ids = {
    tenantId: kek.tenantId,
    entryId: randomUUID(),
    version: 1,
    purpose: 'round-trip',
    kekId: kek.kekId,
  };
  const probe = Buffer.from('claviger key round trip');
  if (!openSecret(kek, sealSecret(kek, probe, ids), ids).equals(probe))
    throw new IntegrityError('cek_refused');
}

async function giveUp(deps: EncryptionDeps, held: HeldJob, newKekId: string): Promise<void> {
  await deps.database.withTenant(held.tenantId, async (tx) => {
    await changeKeyJob(tx, deps, held, {});
    await tx
      .updateTable('keks')
      .set({ state: 'retired', retired_at: sql<Date>`now()` })
      .where('id', '=', newKekId)
      .where('state', '=', 'pending')
      .execute();
  });
}

/** From here on new secrets are sealed under the new key. Does nothing when it is the active one already. */
async function activate(deps: EncryptionDeps, held: HeldJob, newKekId: string): Promise<void> {
  await deps.database.withTenant(held.tenantId, async (tx) => {
    await changeKeyJob(tx, deps, held, {});
    await tx
      .updateTable('keks')
      .set({ state: 'retiring' })
      .where('state', '=', 'active')
      .where('id', '<>', newKekId)
      .execute();
    await tx
      .updateTable('keks')
      .set({ state: 'active', activated_at: sql<Date>`now()` })
      .where('id', '=', newKekId)
      .where('state', '=', 'pending')
      .execute();
  });
}

/** One batch in one transaction, which also asserts the lease. */
async function rewrapBatch(
  deps: EncryptionDeps,
  held: HeldJob,
  kek: Kek,
): Promise<'more' | 'locked' | 'none'> {
  await failpoint('vault.kek.batch_start');
  const outcome = await deps.database.withTenant(held.tenantId, async (tx) => {
    const open = tx
      .selectFrom('entry_versions')
      .where('kek_id', 'in', tx.selectFrom('keks').select('id').where('id', '<>', kek.kekId))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('key_findings')
              .select('version')
              .where('job_id', '=', held.jobId)
              .whereRef('key_findings.entry_id', '=', 'entry_versions.entry_id')
              .whereRef('key_findings.version', '=', 'entry_versions.version'),
          ),
        ),
      );
    const rows = await open
      .select(SEALED_COLUMNS)
      .limit(deps.config.encryption.batchSize)
      .forUpdate()
      .skipLocked()
      .execute();
    if (rows.length === 0) {
      const { left } = await open
        .select((eb) => eb.fn.countAll<number>().as('left'))
        .executeTakeFirstOrThrow();
      return left > 0 ? 'locked' : 'none';
    }
    const { rewrapped, broken } = await rewrapRows(tx, deps.keys, kek, rows);
    await storeFindings(tx, held, broken);
    await changeKeyJob(tx, deps, held, {
      processed: sql<number>`processed + ${rows.length}`,
      rewrapped: sql<number>`rewrapped + ${rewrapped.length}`,
      unrecoverable: sql<number>`unrecoverable + ${broken.length}`,
    });
    await failpoint('vault.kek.mid_batch');
    return 'more';
  });
  await failpoint('vault.kek.batch_end');
  return outcome;
}

/**
 * Retires every emptied key, once no process can go on sealing under what it remembers. Answers how long to wait for that,
 * in seconds; 0 when it was done.
 */
async function retire(deps: EncryptionDeps, held: HeldJob, newKekId: string): Promise<number> {
  const { kekGraceSeconds } = deps.config.encryption;
  const wait = await deps.database.withTenant(held.tenantId, async (tx) => {
    await changeKeyJob(tx, deps, held, {});
    const { seconds } = await tx
      .selectFrom('keks')
      .select(
        sql<number>`extract(epoch FROM activated_at + make_interval(secs => ${kekGraceSeconds}) - clock_timestamp())::float8`.as(
          'seconds',
        ),
      )
      .where('id', '=', newKekId)
      .executeTakeFirstOrThrow();
    if (seconds > 0) return seconds;
    await tx
      .updateTable('keks')
      .set({ state: 'retired', retired_at: sql<Date>`now()` })
      .where('state', '=', 'retiring')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('entry_versions').select('version').whereRef('entry_versions.kek_id', '=', 'keks.id'),
          ),
        ),
      )
      .execute();
    await failpoint('vault.kek.retire');
    return 0;
  });
  return wait;
}
