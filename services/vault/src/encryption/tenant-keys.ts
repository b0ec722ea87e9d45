import { randomUUID } from 'node:crypto';
import { type Database, tenantNotActive } from '@claviger/database';
import { createKek, createKeyCache, IntegrityError, type Kek, openKek } from '@claviger/keyring';
import { sql } from 'kysely';
import type { VaultSchema } from '../schema.ts';
import type { RootKeySeal } from './root-key-seal.ts';

/** The unwrapped KEKs of all tenants, each cached for at most 15 minutes. */
export interface TenantKeys {
  /** The KEK that encrypts new secrets; created on the tenant's first write. Throws `sealed`. */
  active(tenantId: string): Promise<Kek>;
  /** The KEK that a stored secret names. Throws `sealed`, or IntegrityError if it does not exist. */
  named(tenantId: string, kekId: string): Promise<Kek>;
  /** Makes the next `active` read the database. */
  forgetActive(tenantId: string): void;
  /** Drops destroyed KEKs from the memory of this process. */
  forget(tenantId: string, kekIds: readonly string[]): void;
  clear(): void;
}

/** `activeForMs`: how long a tenant's active KEK is cached as the active one. */
export function createTenantKeys(
  database: Database<VaultSchema>,
  seal: RootKeySeal,
  options: { readonly activeForMs: number },
): TenantKeys {
  const cache = createKeyCache({
    destroyedAmong: (tenantIds) => tenantsWithDestroyedKeys(database, tenantIds),
  });
  const activeIds = new Map<string, { readonly id: string; readonly untilMs: number }>();

  const named = (tenantId: string, kekId: string): Promise<Kek> => {
    seal.requireOpen();
    return cache.get(tenantId, kekId, async () => {
      const row = await database.readTenant(tenantId, (reader) =>
        reader
          .selectFrom('keks')
          .select(['id', 'version', 'wrapped', 'destroyed_at'])
          .where('id', '=', kekId)
          .executeTakeFirst(),
      );
      if (!row) throw new IntegrityError('wrong_kek');
      if (row.destroyed_at) throw tenantNotActive('deprovisioned');
      return openKek(seal.requireOpen(), row.wrapped, { tenantId, kekId: row.id, version: row.version });
    });
  };

  return {
    named,
    active: async (tenantId) => {
      seal.requireOpen();
      const known = activeIds.get(tenantId);
      if (known && performance.now() < known.untilMs) return named(tenantId, known.id);
      const untilMs = performance.now() + options.activeForMs;
      const id = (await activeId(database, tenantId)) ?? (await makeFirst(database, tenantId, seal));
      activeIds.set(tenantId, { id, untilMs });
      return named(tenantId, id);
    },
    forgetActive: (tenantId) => void activeIds.delete(tenantId),
    forget: (tenantId, kekIds) => {
      activeIds.delete(tenantId);
      for (const kekId of kekIds) cache.drop(tenantId, kekId);
    },
    clear: () => {
      activeIds.clear();
      cache.clear();
    },
  };
}

/** All KEKs of a tenant are destroyed together. */
async function tenantsWithDestroyedKeys(
  database: Database<VaultSchema>,
  tenantIds: readonly string[],
): Promise<string[]> {
  const rows = await database.system((tx) =>
    tx
      .selectFrom('keks')
      .select('tenant_id')
      .distinct()
      .where(sql<boolean>`tenant_id = ANY (${tenantIds}::uuid[])`)
      .where('state', '=', 'destroyed')
      .execute(),
  );
  return rows.map((row) => row.tenant_id);
}

function activeId(database: Database<VaultSchema>, tenantId: string): Promise<string | undefined> {
  return database.readTenant(
    tenantId,
    async (reader) =>
      (await reader.selectFrom('keks').select('id').where('state', '=', 'active').executeTakeFirst())?.id,
  );
}

/** Of concurrent calls, the first insert wins and all return its KEK. */
async function makeFirst(
  database: Database<VaultSchema>,
  tenantId: string,
  seal: RootKeySeal,
): Promise<string> {
  const provider = seal.requireOpen();
  const ids = { tenantId, kekId: randomUUID(), version: 1 };
  const wrapped = await createKek(provider, ids);
  return database.withTenant(tenantId, async (tx) => {
    await tx
      .insertInto('keks')
      .values({
        tenant_id: tenantId,
        id: ids.kekId,
        version: ids.version,
        wrapped,
        provider_id: provider.id,
        state: 'active',
        activated_at: sql<Date>`now()`,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return (await tx.selectFrom('keks').select('id').where('state', '=', 'active').executeTakeFirstOrThrow())
      .id;
  });
}
