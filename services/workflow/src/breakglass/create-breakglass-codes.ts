import { randomUUID } from 'node:crypto';
import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { alert } from './alert.ts';
import type { BreakglassDeps } from './deps.ts';
import { newOfflineCode, offlineCodeHash } from './offline-code.ts';

const DEFAULT_COUNT = 5;

/** Creates offline codes and returns them once. Earlier unused codes become invalid. */
export function createBreakglassCodes(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.createBreakglassCodes> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    context.auditSubject = { type: 'breakglass-codes', id: tenantId };
    const codes = Array.from({ length: request.count ?? DEFAULT_COUNT }, newOfflineCode);
    await deps.database.withTenant(tenantId, async (tx) => {
      await requireActiveTenant(tx);
      // Of two concurrent calls, the second withdraws the codes of the first.
      await sql`SELECT pg_advisory_xact_lock(hashtextextended('breakglass codes ' || ${tenantId}, 0))`.execute(
        tx,
      );
      const withdrawn = await tx
        .updateTable('breakglass_codes')
        .set({ withdrawn_at: sql<Date>`clock_timestamp()` })
        .where('used_at', 'is', null)
        .where('withdrawn_at', 'is', null)
        .executeTakeFirst();
      await tx
        .insertInto('breakglass_codes')
        .values(
          codes.map((code) => ({
            tenant_id: tenantId,
            id: randomUUID(),
            code_hash: offlineCodeHash(tenantId, code),
            created_by: actor.userId,
          })),
        )
        .execute();
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: { count: codes.length, withdrawn: Number(withdrawn.numUpdatedRows) },
      });
    });
    alert(deps.logger, { userId: actor.userId, count: codes.length }, 'offline codes were created');
    return { codes };
  };
}
