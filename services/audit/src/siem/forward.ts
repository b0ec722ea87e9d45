import { type Leadership, LeadershipLost } from '@claviger/cluster';
import { isClavigerError } from '@claviger/errors';
import { OutboundError } from '@claviger/outbound';
import { failpoint } from '@claviger/service-kit';
import { sendEvents } from '@claviger/siem';
import { advance, type Due, nextBatch, postpone } from './cursors.ts';
import { type SiemDeps, type SiemTarget, targetsOf } from './deps.ts';
import { siemEventOf } from './siem-event-of.ts';

/** Of one turn: then the next target has its turn. */
const BATCHES = 20;

/**
 * Passes on what a target lacks, batch after batch, in the order of the log. The cursor moves after the sink has a batch, so that whatever
 * ends this in between has it sent again, with the same event ids. Ends at the first failure, which is written into the cursor.
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
      // Whoever leads now sends it.
      if (leadership.signal.aborted) return;
      const failures = await postpone(deps, leadership, due, batch, problemOf(error));
      if (failures === 1 || failures % 20 === 0)
        deps.logger.warn(
          { err: error, tenantId: due.tenantId, target: due.target, failures },
          'a SIEM target does not take events: they wait in the log, and it is tried again',
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

/** What may be shown of an error: never what the sink said. */
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
