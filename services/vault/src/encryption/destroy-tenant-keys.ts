import type * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import { lockedTenantStanding } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EncryptionDeps } from './deps.ts';

/**
 * Overwrites every key of a tenant that this vault itself knows as being wound down, on the word of two persons. What the keys
 * protected cannot be opened any more, by anybody. Repeated, it answers the same keys and records no event.
 */
export function destroyTenantKeys(
  deps: EncryptionDeps,
): Handler<typeof tenantKeys.TenantKeysService.destroyTenantKeys> {
  return async (request, context) => {
    const { tenantId } = context;
    context.auditSubject = { type: 'tenant', id: tenantId };
    const { orderedBy, confirmedBy, standingVersion } = request;
    if (orderedBy === confirmedBy) {
      throw new ClavigerError('denied', 'Two persons are needed to destroy the keys of a tenant.', {
        code: 'second_person_needed',
      });
    }
    const keys = await deps.database.withTenant(tenantId, async (tx) => {
      const known = await lockedTenantStanding(tx);
      const mayGo =
        known?.standing === 'deprovisioned' ||
        (known?.standing === 'deprovisioning' && known.version === standingVersion);
      if (!mayGo) {
        throw new ClavigerError(
          'conflict',
          'The tenant is not being wound down, as far as the vault knows.',
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
    // Auth asks every replica. One that it does not know of finds out by its own check (`key-cache.ts`).
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
