import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import { tenantsWith } from '../duties/tenants-with.ts';
import { assistantSettings } from './assistant-settings.ts';
import type { AssistantDeps } from './deps.ts';

const EVERY_MS = 3_600_000;
const BATCH = 5_000;

type Deps = Pick<AssistantDeps, 'database' | 'settings' | 'logger'>;

/** Erases exchanges older than the retention of each tenant, every hour, on the leader. */
export function startForgetting(deps: Deps, cluster: DutyHost): Duty {
  return startDuty({
    cluster,
    name: 'assistant history clean-up',
    everyMs: EVERY_MS,
    run: async (leadership) => ((await forgetExchanges(deps, leadership)) ? { nextInMs: 0 } : undefined),
  });
}

/**
 * One round; returns true when more may be due. Suspended tenants are included: their retention still
 * applies. A tenant whose settings cannot be read keeps its history until the next round.
 */
export async function forgetExchanges(deps: Deps, leadership: Leadership): Promise<boolean> {
  const { database, logger } = deps;
  let more = false;
  for (const tenantId of await tenantsWith(database, 'assistant_exchanges')) {
    if (leadership.signal.aborted) return false;
    try {
      const { historyDays } = (await assistantSettings(deps, tenantId)).values;
      const erased = await database.withTenant(tenantId, async (tx) => {
        await leadership.assert(tx);
        const { rows } = await sql<{ id: string }>`DELETE FROM assistant_exchanges WHERE (tenant_id, id) IN (
          SELECT tenant_id, id FROM assistant_exchanges
          WHERE created_at < now() - make_interval(days => ${historyDays}::int) ORDER BY created_at LIMIT ${BATCH}::int)
          RETURNING id`.execute(tx);
        return rows.length;
      });
      more ||= erased === BATCH;
    } catch (error) {
      if (leadership.signal.aborted) throw error;
      logger.warn(
        { err: error, tenantId },
        'old exchanges with the assistant were not erased; tried again later',
      );
    }
  }
  return more;
}
