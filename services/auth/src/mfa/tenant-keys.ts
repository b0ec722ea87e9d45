import { randomUUID } from 'node:crypto';
import type { Database, Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import {
  checkCanary,
  createCanary,
  createKek,
  createKeyCache,
  fileRootKeyProvider,
  type Kek,
  openKek,
  RootKeyError,
  type RootKeyProvider,
} from '@claviger/keyring';
import type { Logger } from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';

/** The key encryption keys of tenants, under this service's own root key. */
export interface TenantKeys {
  /** Why nothing can be encrypted or decrypted; undefined when all is well. */
  readonly sealedBecause: string | undefined;
  /** For a new tenant. Throws `sealed`. */
  create(tx: Tx<AuthSchema>, tenantId: string): Promise<void>;
  /** The key that new secrets are sealed with. Throws `sealed`. */
  current(reader: Reader<AuthSchema>, tenantId: string): Promise<Kek>;
  /** Throws `sealed`. */
  byId(reader: Reader<AuthSchema>, tenantId: string, kekId: string): Promise<Kek>;
  close(): void;
}

/** A missing or wrong root key seals what needs it; it never makes a new one over data that an earlier one protects. */
export async function openTenantKeys(
  database: Database<AuthSchema>,
  rootKeyFile: string,
  logger: Logger,
): Promise<TenantKeys> {
  const cache = createKeyCache();
  let provider: RootKeyProvider | undefined;
  let sealedBecause: string | undefined;
  try {
    provider = await fileRootKeyProvider({ path: rootKeyFile });
    if (!(await fitsDatabase(database, provider)))
      sealedBecause = `${rootKeyFile} holds another root key than the one that this database was set up with`;
  } catch (error) {
    if (!(error instanceof RootKeyError)) throw error;
    sealedBecause = error.message;
  }
  if (sealedBecause) logger.error({ reason: sealedBecause }, 'sealed: second factors cannot be checked');

  const root = (): RootKeyProvider => {
    if (sealedBecause || !provider) {
      throw new ClavigerError(
        'sealed',
        'Second factors cannot be checked: the root key is missing or wrong.',
        {
          hint: 'The operator puts the right root key file back and restarts auth.',
        },
      );
    }
    return provider;
  };
  const open = (tenantId: string, row: { id: string; version: number; wrapped: Buffer }): Promise<Kek> =>
    cache.get(tenantId, row.id, () =>
      openKek(root(), row.wrapped, { tenantId, kekId: row.id, version: row.version }),
    );
  const keys = (reader: Reader<AuthSchema>) =>
    reader.selectFrom('tenant_keys').select(['id', 'version', 'wrapped']);
  return {
    sealedBecause,
    create: async (tx, tenantId) => {
      const id = randomUUID();
      const wrapped = await createKek(root(), { tenantId, kekId: id, version: 1 });
      await tx.insertInto('tenant_keys').values({ tenant_id: tenantId, id, version: 1, wrapped }).execute();
    },
    current: async (reader, tenantId) =>
      open(tenantId, await keys(reader).orderBy('version', 'desc').limit(1).executeTakeFirstOrThrow()),
    byId: async (reader, tenantId, kekId) =>
      open(tenantId, await keys(reader).where('id', '=', kekId).executeTakeFirstOrThrow()),
    close: () => cache.clear(),
  };
}

async function fitsDatabase(database: Database<AuthSchema>, provider: RootKeyProvider): Promise<boolean> {
  const candidate = await createCanary(provider);
  const stored = await database.system(async (tx) => {
    const used = await tx.selectFrom('tenants').select('id').limit(1).executeTakeFirst();
    if (!used) {
      await tx
        .insertInto('root_key_canary')
        .values({ blob: candidate })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    return tx.selectFrom('root_key_canary').select('blob').executeTakeFirst();
  });
  return stored !== undefined && (await checkCanary(provider, stored.blob));
}
