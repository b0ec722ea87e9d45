import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { entrySubject, refuseDuringRotation } from '../entries/entry-store.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import { requireRotationRight } from '../rights/require-account-use.ts';
import { asAdmin, rotatesAsAdmin } from './as-admin.ts';
import type { RotationDeps } from './deps.ts';
import { requestRotation, requireRotatable } from './request-rotation.ts';
import { toRotation } from './rotation-store.ts';

/**
 * Queues a rotation; of concurrent calls, one succeeds. Throws conflict `no_admin_entry` for a lost secret
 * without a usable admin entry.
 */
export function rotateEntry(deps: RotationDeps): Handler<typeof vault.EntriesService.rotateEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const kek = await deps.secrets.keyFor(context.tenantId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      refuseDuringRotation(entry);
      const target = await requireRotatable(tx, entry);
      if (request.secretLost && !asAdmin(target)) throw noAdminEntry();
      // The vault knows that the secret of an entry out of sync is lost.
      const secretLost =
        request.secretLost || (entry.rotation_state === 'out_of_sync' && rotatesAsAdmin(target));
      await requireRotationRight(tx, context, entry, { byAdmin: secretLost });
      const rotation = await requestRotation(tx, deps, {
        entry,
        kek,
        trigger: 'manual',
        requestedBy: context.actor.userId,
        secretLost,
      });
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        reason: request.reason,
        details: {
          rotationId: rotation.id,
          version: rotation.version,
          trigger: rotation.trigger,
          ...(secretLost ? { secretLost } : {}),
        },
      });
      return { rotation: toRotation(rotation, context) };
    });
  };
}

function noAdminEntry(): ClavigerError {
  return new ClavigerError(
    'conflict',
    'Only an admin entry can set a lost secret, and this resource has none that can be used.',
    {
      code: 'no_admin_entry',
      hint: 'Give the resource an admin entry, or set the password on the target by hand and store it.',
    },
  );
}
