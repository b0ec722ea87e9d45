import type * as contract from '@claviger/contracts/cluster/v1/seal';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { RootKeyConfig } from '@claviger/keyring';
import { type CanaryStore, openSeal, type Seal, sealHandlers } from '@claviger/sealing';
import type { Handlers, Logger } from '@claviger/service-kit';
import type { VaultSchema } from '../schema.ts';

/** Whether the vault has the root key of its database. */
export type RootKeySeal = Seal;

/** Opens the seal. `onClose` must drop every key that was unwrapped with the root key. */
export function openRootKeySeal(options: {
  database: Database<VaultSchema>;
  rootKey: RootKeyConfig;
  logger: Logger;
  onClose: () => void;
}): Promise<RootKeySeal> {
  const { database, rootKey, logger, onClose } = options;
  return openSeal({ config: rootKey, canary: canaryIn(database), what: 'the vault', logger, onClose });
}

/** Handlers of the operators' calls to seal and unseal this replica. */
export function vaultSealHandlers(deps: {
  readonly node: string;
  readonly database: Database<VaultSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly seal: RootKeySeal;
}): Handlers<typeof contract.SealService> {
  const { node, database, emitter, logger, seal } = deps;
  return sealHandlers({
    service: 'vault',
    node,
    seal,
    canary: canaryIn(database),
    logger,
    record: async (context, tenantId, event) => {
      await database.withTenant(tenantId, (tx) =>
        emitter.audit(tx, context, { ...event, subject: { type: 'seal', id: node } }),
      );
    },
  });
}

/** The database counts as empty while it holds no tenant's KEK. */
function canaryIn(database: Database<VaultSchema>): CanaryStore {
  return {
    read: () =>
      database.system(async (tx) => {
        const canary = await tx.selectFrom('root_key_canary').select('blob').executeTakeFirst();
        if (canary) return canary.blob;
        const kek = await tx.selectFrom('keks').select('tenant_id').limit(1).executeTakeFirst();
        return kek ? 'lost' : undefined;
      }),
    storeFirst: (blob, providerId) =>
      database.system(async (tx) => {
        await tx
          .insertInto('root_key_canary')
          .values({ blob, provider_id: providerId })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        return (await tx.selectFrom('root_key_canary').select('blob').executeTakeFirstOrThrow()).blob;
      }),
  };
}
