import type { vault } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { entrySubject, refuseDuringRotation } from '../entries/entry-rows.ts';
import { requireId } from '../ids.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import { requireRotationRight } from '../rights/require-account-use.ts';
import { requestRotation, requireRotatable } from './request-rotation.ts';
import { toRotation } from './rotation-rows.ts';

/** Queues a rotation; of two at once one gets it. */
export function rotateEntry(deps: VaultDeps): Handler<(typeof vault.EntriesServiceService)['rotateEntry']> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = requireId(request.entryId);
    const kek = await deps.secrets.keyFor(context.tenantId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const entry = await lockEntry(tx, context, id);
      refuseDuringRotation(entry);
      await requireRotatable(tx, entry);
      await requireRotationRight(tx, context, entry);
      const rotation = await requestRotation(tx, deps, {
        entry,
        kek,
        trigger: 'manual',
        requestedBy: context.actor.userId,
      });
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        reason: request.reason,
        details: { rotationId: rotation.id, version: rotation.version, trigger: rotation.trigger },
      });
      return { rotation: toRotation(rotation, context) };
    });
  };
}
