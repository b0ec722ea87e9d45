import type * as license from '@claviger/contracts/auth/v1/license';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { lockConfig } from '../settings/settings-store.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { LicenseDeps } from './deps.ts';
import { licenseMessage } from './license-message.ts';
import { licenseInForce } from './license-store.ts';
import { VENDOR_KEYS } from './vendor-keys.ts';
import { verifyLicense } from './verify-license.ts';

/** Verifies a license and puts it in force. Applying the same license again changes nothing. */
export function applyLicense(deps: LicenseDeps): Handler<typeof license.LicenseService.applyLicense> {
  return async (request, context) => {
    const { tenantId } = context;
    context.auditSubject = { type: 'license', id: tenantId };
    const { publicKeys } = (await deps.settings.read(tenantId)).values.licence;
    const token = request.license.trim();
    await deps.database.withTenant(tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      await lockConfig(tx, tenantId);
      const { rows } = await sql<{ now: Date }>`SELECT now() AS now`.execute(tx);
      const claims = await verifyLicense(token, {
        keys: [...VENDOR_KEYS, ...publicKeys],
        installationId: tenantId,
        nowSeconds: rows[0]!.now.getTime() / 1_000,
      });
      const last = await tx
        .selectFrom('licences')
        .select(['version', 'token'])
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst();
      const version = last?.version ?? 0;
      if (request.rowVersion !== undefined && request.rowVersion !== version) {
        throw new ClavigerError('precondition_failed', 'Another license was applied since you read it.', {
          hint: 'Read it again, then repeat your change.',
        });
      }
      if (last?.token !== token) {
        await tx
          .insertInto('licences')
          .values({ tenant_id: tenantId, version: version + 1, token, applied_by: context.actor.userName })
          .execute();
      }
      await deps.emitter.audit(tx, context, {
        details: { license: claims.jti, owner: claims.owner, enforce: claims.enforce },
      });
    });
    return {
      license: await licenseMessage(deps.database, tenantId, await licenseInForce(deps.database, tenantId)),
    };
  };
}
