import { randomUUID } from 'node:crypto';
import type { Database, Reader, Tx } from '@claviger/database';
import { createKek, createKeyCache, type Kek, openKek, type RootKeyConfig } from '@claviger/keyring';
import { type CanaryStore, openSeal, type Seal } from '@claviger/sealing';
import type { Logger } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

/** The key-encryption keys (KEK) of tenants, wrapped by this service's own root key. */
export interface TenantKeys {
  /** Whether this service has the root key with which its database was set up. */
  readonly seal: Seal;
  /** Creates the first KEK of a tenant. Throws `sealed`. */
  create(tx: Tx<AuthSchema>, tenantId: string): Promise<void>;
  /** The KEK for new secrets. Throws `sealed`. */
  current(reader: Reader<AuthSchema>, tenantId: string): Promise<Kek>;
  /** Throws `sealed`. */
  byId(reader: Reader<AuthSchema>, tenantId: string, kekId: string): Promise<Kek>;
  close(): void;
}

/**
 * Opens the keys. A missing or wrong root key seals the service. The service never creates a new key while
 * the database contains data under an earlier one.
 */
export async function openTenantKeys(
  database: Database<AuthSchema>,
  rootKey: RootKeyConfig,
  logger: Logger,
): Promise<TenantKeys> {
  const cache = createKeyCache({ destroyedAmong: (tenantIds) => tenantsToDestroy(database, tenantIds) });
  const seal = await openSeal({
    config: rootKey,
    canary: canaryIn(database),
    what: 'auth',
    logger,
    onClose: () => cache.clear(),
  });
  const open = (tenantId: string, row: { id: string; version: number; wrapped: Buffer }): Promise<Kek> =>
    cache.get(tenantId, row.id, () =>
      openKek(seal.requireOpen(), row.wrapped, { tenantId, kekId: row.id, version: row.version }),
    );
  const keys = (reader: Reader<AuthSchema>) =>
    reader
      .selectFrom('tenant_keys')
      .select(['id', 'version', 'wrapped'])
      // A destroyed key must not be used from the cache of another replica.
      .where('destroyed_at', 'is', null);
  return {
    seal,
    create: async (tx, tenantId) => {
      const id = randomUUID();
      const wrapped = await createKek(seal.requireOpen(), { tenantId, kekId: id, version: 1 });
      await tx.insertInto('tenant_keys').values({ tenant_id: tenantId, id, version: 1, wrapped }).execute();
    },
    current: async (reader, tenantId) =>
      open(tenantId, await keys(reader).orderBy('version', 'desc').limit(1).executeTakeFirstOrThrow()),
    byId: async (reader, tenantId, kekId) =>
      open(tenantId, await keys(reader).where('id', '=', kekId).executeTakeFirstOrThrow()),
    close: () => {
      seal[Symbol.dispose]();
      cache.clear();
    },
  };
}

/** Returns the tenants whose keys are destroyed or due: their retention has ended. */
async function tenantsToDestroy(
  database: Database<AuthSchema>,
  tenantIds: readonly string[],
): Promise<string[]> {
  const rows = await database.system((tx) =>
    tx
      .selectFrom('deprovision_orders')
      .select('tenant_id')
      .distinct()
      .where(sql<boolean>`tenant_id = ANY (${tenantIds}::uuid[])`)
      .where(sql<boolean>`state = ANY ('{confirmed,done}')`)
      .where('destroy_at', '<=', sql<Date>`now()`)
      .execute(),
  );
  return rows.map((row) => row.tenant_id);
}

/** The canary of auth's database, which counts as empty while it contains no tenant. */
export function canaryIn(database: Database<AuthSchema>): CanaryStore {
  return {
    read: () =>
      database.system(async (tx) => {
        const canary = await tx.selectFrom('root_key_canary').select('blob').executeTakeFirst();
        if (canary) return canary.blob;
        const tenant = await tx.selectFrom('tenants').select('id').limit(1).executeTakeFirst();
        return tenant ? 'lost' : undefined;
      }),
    storeFirst: (blob) =>
      database.system(async (tx) => {
        await tx
          .insertInto('root_key_canary')
          .values({ blob })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        return (await tx.selectFrom('root_key_canary').select('blob').executeTakeFirstOrThrow()).blob;
      }),
  };
}
