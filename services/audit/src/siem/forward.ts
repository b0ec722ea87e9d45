import { type Leadership, LeadershipLost } from '@claviger/cluster';
import { isClavigerError } from '@claviger/errors';
import { OutboundError } from '@claviger/outbound';
import { failpoint } from '@claviger/service-kit';
import { sendEvents } from '@claviger/siem';
import { advance, type Due, nextBatch, postpone } from './cursors.ts';
import { type SiemDeps, type SiemTarget, targetsOf } from './deps.ts';
import { siemEventOf } from './siem-event-of.ts';

/** Maximum number of batches before it is the turn of the next destination. */
const BATCHES = 20;

/**
 * Sends unsent events to a destination, batch by batch in log order. The cursor moves after the destination
 * has accepted a batch, so an interruption repeats the batch with the same event ids. The first failure is
 * stored in the cursor and ends the run.
 */
export async function forward(
  deps: SiemDeps,
  leadership: Pick<Leadership, 'assert' | 'signal'>,
  due: Due,
): Promise<void> {
  for (let turn = 0; turn < BATCHES && !leadership.signal.aborted; turn += 1) {
    const target = (await targetsOf(deps.settings, due.tenantId)).find(({ name }) => name === due.target);
    if (!target?.enabled) return;
    const batch = await nextBatch(deps, due).catch(unlessSuspended);
    if (batch === undefined) return;
    const events = batch.rows.filter(({ action }) => isWanted(target, action)).map(siemEventOf);
    try {
      await sendEvents(target, events, { policy: deps.destinationPolicy(), signal: leadership.signal });
    } catch (error) {
      // The leadership of this replica has ended: the next leader sends the batch.
      if (leadership.signal.aborted) return;
      const failures = await postpone(deps, leadership, due, batch, problemOf(error));
      if (failures === 1 || failures % 20 === 0)
        deps.logger.warn(
          { err: error, tenantId: due.tenantId, target: due.target, failures },
          'a SIEM destination does not accept events; they stay in the log and are retried',
        );
      return;
    }
    await failpoint('audit.siem.after_send');
    if (!(await advance(deps, leadership, due, batch, events.length > 0)) || !batch.full) return;
  }
}

export function isWanted({ actions }: SiemTarget, action: string): boolean {
  return actions.length === 0 || actions.some((prefix) => action.startsWith(prefix));
}

/** The part of an error that may be shown: never text from the destination. */
export function problemOf(error: unknown): string {
  return error instanceof OutboundError ? error.message : 'The events could not be sent.';
}

export function isLeadershipLost(error: unknown): boolean {
  return error instanceof LeadershipLost;
}

function unlessSuspended(error: unknown): undefined {
  if (isClavigerError(error) && (error.reason === 'denied' || error.reason === 'gone')) return undefined;
  throw error;
}
