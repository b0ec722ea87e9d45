import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { time } from '../ids.ts';
import type { VaultReader } from '../schema.ts';
import type { EncryptionDeps } from './deps.ts';
import { toKeyJob } from './key-jobs-store.ts';

/** The tenant's KEKs and DEKs in the database, and whether the root key is available. */
export function getEncryptionStatus(
  deps: EncryptionDeps,
): Handler<typeof encryption.EncryptionService.getEncryptionStatus> {
  return (_, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const [keys, counts, latest] = await Promise.all([
        readKeys(reader, deps.config.encryption.kekMaxAgeDays),
        countContentKeys(reader),
        reader.selectFrom('key_jobs').selectAll().orderBy('created_at', 'desc').limit(1).executeTakeFirst(),
      ]);
      const rootKey = deps.rootKeyState();
      const shown = keys.map(
        (row): encryption.KeyEncryptionKey => ({
          id: row.id,
          version: row.version,
          state: row.state,
          wraps: row.wraps,
          wrapsLimit: deps.config.encryption.kekMaxWraps,
          contentKeys: row.content_keys,
          rootKeyId: row.provider_id,
          createdAt: time(row.created_at),
          activatedAt: time(row.activated_at),
          retiredAt: time(row.retired_at),
          ageDays: row.age_days,
          rotateBefore: row.state === 'active' ? time(row.rotate_before) : undefined,
        }),
      );
      return {
        rootKey,
        keys: shown,
        contentKeys: counts.total,
        unrecoverable: counts.unrecoverable,
        latestJob: latest && toKeyJob(latest),
        advice: adviceFor(rootKey.state, shown, counts.unrecoverable, latest?.problem ?? ''),
      };
    });
}

function readKeys(reader: VaultReader, maxAgeDays: number) {
  return reader
    .selectFrom('keks')
    .select([
      'id',
      'version',
      'state',
      'provider_id',
      'created_at',
      'activated_at',
      'retired_at',
      sql<number>`floor(extract(epoch FROM now() - created_at) / 86400)::int4`.as('age_days'),
      sql<Date | null>`activated_at + make_interval(days => ${maxAgeDays})`.as('rotate_before'),
      sql<number>`coalesce((SELECT sum(c.total) FROM row_counts c
        WHERE c.tenant_id = keks.tenant_id AND c.counted = 'wraps' AND c.scope = keks.id), 0)::int8`.as(
        'wraps',
      ),
      sql<number>`(SELECT count(*) FROM entry_versions v
        WHERE v.tenant_id = keks.tenant_id AND v.kek_id = keks.id)::int8`.as('content_keys'),
    ])
    .orderBy('version', 'desc')
    .execute();
}

async function countContentKeys(reader: VaultReader): Promise<{ total: number; unrecoverable: number }> {
  const { total } = await reader
    .selectFrom('entry_versions')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .where('purged_at', 'is', null)
    .executeTakeFirstOrThrow();
  // Of the latest job that checked the DEKs.
  const looked = await reader
    .selectFrom('key_jobs')
    .select('unrecoverable')
    .where('finished_at', 'is not', null)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { total, unrecoverable: looked?.unrecoverable ?? 0 };
}

function adviceFor(
  rootKeyState: string,
  keys: readonly encryption.KeyEncryptionKey[],
  unrecoverable: number,
  problem: string,
): string[] {
  const advice: string[] = [];
  if (rootKeyState !== 'open') advice.push('Unseal the vault: it can neither decrypt nor store secrets.');
  if (unrecoverable > 0) {
    advice.push(
      'Restore the versions that the findings of the latest job name from a backup: their keys are lost.',
    );
  }
  if (problem) advice.push(`The latest job reports: ${problem}`);
  const active = keys.find((key) => key.state === 'active');
  if (active?.rotateBefore && Date.parse(active.rotateBefore) < Date.now()) {
    advice.push('The key-encryption key has exceeded its age; its rotation is due.');
  }
  return advice;
}
