import { randomUUID } from 'node:crypto';
import { createKek, decryptSecret, encryptSecret, IntegrityError, type Kek } from '@claviger/keyring';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EncryptionDeps } from './deps.ts';
import { changeKeyJob, type HeldJob, type KeyJobRow } from './key-jobs-store.ts';
import { rewrapRows, storeFindings } from './rewrap-rows.ts';
import { ENCRYPTED_COLUMNS } from './secrets.ts';

/** Seconds until the next run of the job, or its end, with a reason when it failed. */
export type Progress = { readonly againInSeconds: number } | { readonly failed: string } | 'done';

/**
 * Replaces the active KEK. Each step leaves a state from which the next run continues: the new KEK is stored
 * and tested before it is used, and the former one decrypts until nothing is wrapped by it. A KEK with a DEK
 * that cannot be decrypted stays `retiring`.
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
    testKek(kek);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    await abandonKek(deps, held, newKekId);
    return { failed: `The new key failed its test (${error.reason}); the former key stays active.` };
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

/** Stores a new KEK, wrapped by the root key and not in use yet. */
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

/** Throws IntegrityError if the KEK that was read back does not decrypt what the stored one encrypted. */
function testKek(kek: Kek): void {
  const ids = {
    tenantId: kek.tenantId,
    entryId: randomUUID(),
    version: 1,
    purpose: 'round-trip',
    kekId: kek.kekId,
  };
  const probe = Buffer.from('claviger key round trip');
  if (!decryptSecret(kek, encryptSecret(kek, probe, ids), ids).equals(probe))
    throw new IntegrityError('cek_refused');
}

async function abandonKek(deps: EncryptionDeps, held: HeldJob, newKekId: string): Promise<void> {
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

/** New secrets are encrypted under the new KEK from now on. Does nothing when it is active already. */
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

/** Rewraps one batch in one transaction, which also asserts the lease. */
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
      .select(ENCRYPTED_COLUMNS)
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
 * Retires every KEK that wraps nothing, once no process can still use it from memory. Returns the seconds
 * until that is possible; 0 when done.
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
