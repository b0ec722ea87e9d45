import type * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import { lockedTenantStatus } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EncryptionDeps } from './deps.ts';

/**
 * Overwrites every key of a tenant that is being deprovisioned, after one administrator has ordered it and
 * another has confirmed it. The secrets cannot be decrypted afterwards. A repetition returns the same keys
 * and records no event.
 */
export function destroyTenantKeys(
  deps: EncryptionDeps,
): Handler<typeof tenantKeys.TenantKeysService.destroyTenantKeys> {
  return async (request, context) => {
    const { tenantId } = context;
    context.auditSubject = { type: 'tenant', id: tenantId };
    const { orderedBy, confirmedBy, statusVersion } = request;
    if (orderedBy === confirmedBy) {
      throw new ClavigerError('denied', 'Two administrators are needed to destroy the keys of a tenant.', {
        code: 'second_person_needed',
      });
    }
    const keys = await deps.database.withTenant(tenantId, async (tx) => {
      const known = await lockedTenantStatus(tx);
      const mayGo =
        known?.status === 'deprovisioned' ||
        (known?.status === 'deprovisioning' && known.version === statusVersion);
      if (!mayGo) {
        throw new ClavigerError(
          'conflict',
          'The tenant is not being deprovisioned, according to the vault.',
          {
            code: 'wrong_status',
          },
        );
      }
      const now = await tx
        .updateTable('keks')
        .set({ wrapped: Buffer.alloc(0), state: 'destroyed', destroyed_at: sql<Date>`now()` })
        .where('destroyed_at', 'is', null)
        .returning('id')
        .execute();
      if (now.length > 0) {
        await deps.emitter.audit(tx, context, {
          details: { orderedBy, confirmedBy, keyIds: now.map((key) => key.id) },
        });
      } else changedNothing(context);
      return tx.selectFrom('keks').select(['id', 'version', 'destroyed_at']).orderBy('version').execute();
    });
    // Auth calls every replica. A replica that misses the call drops the keys after its own check
    // (`packages/keyring/src/key-cache.ts`).
    deps.keys.forget(
      tenantId,
      keys.map((key) => key.id),
    );
    return {
      keys: keys.map((key) => ({
        id: key.id,
        version: key.version,
        destroyedAt: key.destroyed_at!.toISOString(),
      })),
    };
  };
}
