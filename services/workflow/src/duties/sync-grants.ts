import { randomUUID } from 'node:crypto';
import type { Leadership } from '@claviger/cluster';
import { sql } from 'kysely';
import { syncEntitlement } from '../grants/sync-entitlement.ts';
import type { GrantRow } from '../schema.ts';
import type { DutiesDeps } from './deps.ts';
import type { Due } from './due.ts';

const AT_ONCE = 8;
const MAX_BACKOFF_SECONDS = 30;

/**
 * Sends due grants to the vault. Returns the number of confirmed ones. If the vault is unavailable, the round
 * ends.
 */
export async function syncGrants(
  deps: DutiesDeps,
  due: readonly Due[],
  leadership: Leadership,
): Promise<number> {
  let confirmed = 0;
  for (let start = 0; start < due.length; start += AT_ONCE) {
    leadership.signal.throwIfAborted();
    const told = await Promise.all(
      due.slice(start, start + AT_ONCE).map((each) => syncGrant(deps, each, leadership)),
    );
    confirmed += told.filter((each) => each === 'told').length;
    if (told.every((each) => each === 'failed')) break;
  }
  return confirmed;
}

async function syncGrant(
  deps: DutiesDeps,
  due: Due,
  leadership: Leadership,
): Promise<'told' | 'failed' | 'taken'> {
  const grant = await claim(deps, due, leadership);
  if (!grant) return 'taken';
  try {
    await syncEntitlement(deps, grant, randomUUID());
    return 'told';
  } catch (error) {
    deps.logger.warn(
      { err: error, grantId: grant.id, attempts: grant.sync_attempts, wanted: grant.sync_wanted },
      'the vault has not confirmed a grant; it is tried again',
    );
    return 'failed';
  }
}

/**
 * Postpones the next attempt before this one starts: other replicas skip the grant, and a crash costs one
 * delay.
 */
function claim(deps: DutiesDeps, due: Due, leadership: Leadership): Promise<GrantRow | undefined> {
  return deps.database.withTenant(due.tenantId, async (tx) => {
    await leadership.assert(tx);
    return tx
      .updateTable('grants')
      .set({
        sync_attempts: sql<number>`sync_attempts + 1`,
        next_sync_at: sql<Date>`now() + make_interval(secs => least(${MAX_BACKOFF_SECONDS}, 5 * power(1.5, least(sync_attempts, 10))))`,
      })
      .where('id', '=', due.id)
      .where('next_sync_at', '<=', sql<Date>`now()`)
      .returningAll()
      .executeTakeFirst();
  });
}
