import type * as contract from '@claviger/contracts/cluster/v1/seal';
import { sealHandlers } from '@claviger/sealing';
import type { Handlers } from '@claviger/service-kit';
import { findTenant } from '../sign-in/tenants-store.ts';
import type { MfaDeps } from './deps.ts';
import { canaryIn } from './tenant-keys.ts';

/** The operations of `SealService` for this replica. */
export function authSealHandlers(
  deps: Pick<MfaDeps, 'config' | 'database' | 'emitter' | 'logger' | 'tenantKeys'>,
): Handlers<typeof contract.SealService> {
  const { config, database, emitter, logger, tenantKeys } = deps;
  const { node } = config;
  return sealHandlers({
    service: 'auth',
    node,
    seal: tenantKeys.seal,
    canary: canaryIn(database),
    logger,
    record: async (context, tenantId, event) => {
      await database.withTenant(tenantId, (tx) =>
        emitter.audit(tx, context, { ...event, subject: { type: 'seal', id: node } }),
      );
    },
    platformTenant: async () => (await findTenant(database, ''))?.id,
  });
}
