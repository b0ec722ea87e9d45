import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultReader } from '../schema.ts';
import type { EntitlementsDeps } from './deps.ts';

/**
 * Which of these users own or share the entry, or an entry of the resource. They benefit from a lower
 * protection, so they may not approve it.
 */
export function describeBeneficiaries(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.describeBeneficiaries> {
  return ({ entryId, resourceId, userIds }, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      if ((entryId === '') === (resourceId === ''))
        throw ClavigerError.invalid('/entryId', 'either entryId or resourceId is required, not both');
      const wanted = [...new Set(userIds)];
      return {
        userIds: entryId
          ? await ofEntry(reader, entryId, wanted)
          : await ofResource(reader, resourceId, wanted),
      };
    });
}

async function ofEntry(reader: VaultReader, id: string, wanted: readonly string[]): Promise<string[]> {
  const entry = await reader
    .selectFrom('entries')
    .select('id')
    .where('id', '=', id)
    .where('status', '=', 'active')
    .executeTakeFirst();
  if (!entry) throw ClavigerError.notFound();
  const { rows } = await sql<{ user_id: string }>`
    SELECT owner_id AS user_id FROM entries WHERE id = ${id}::uuid AND owner_id = ANY (${wanted}::uuid[])
    UNION SELECT user_id FROM shares WHERE entry_id = ${id}::uuid AND user_id = ANY (${wanted}::uuid[])`.execute(
    reader,
  );
  return rows.map((row) => row.user_id);
}

async function ofResource(reader: VaultReader, id: string, wanted: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ user_id: string }>`
    SELECT owner_id AS user_id FROM assets WHERE id = ${id}::uuid AND owner_id = ANY (${wanted}::uuid[])
    UNION SELECT owner_id FROM entries WHERE asset_id = ${id}::uuid AND status = 'active' AND owner_id = ANY (${wanted}::uuid[])
    UNION SELECT s.user_id FROM entries e JOIN shares s ON s.tenant_id = e.tenant_id AND s.entry_id = e.id
      WHERE e.asset_id = ${id}::uuid AND e.status = 'active' AND s.user_id = ANY (${wanted}::uuid[])`.execute(
    reader,
  );
  return rows.map((row) => row.user_id);
}
