import type { Journal } from '@claviger/journal';
import type { EmergencyDeps } from './deps.ts';
import { readJournalEntry } from './journal-entry.ts';
import { recordDisclosure } from './record-disclosure.ts';

const EVERY_MS = 2_000;

export interface JournalMerge extends AsyncDisposable {
  /** Looks soon. */
  wake(): void;
  /** Records that this process has not seen in the database yet. */
  waiting(): number;
}

/**
 * Takes what this replica's journal holds into the database, each record once, again and again until it is done. Every replica
 * sees to its own journal: nobody else can read it.
 */
export function startJournalMerge(
  deps: Pick<EmergencyDeps, 'config' | 'database' | 'logger'>,
  journal: Journal,
): JournalMerge {
  const stop = new AbortController();
  let mergedUpTo = 0;
  let waiting = 0;
  let wakeUp: (() => void) | undefined;
  // What the former process left is looked at once; afterwards only what a disclosure could not record.
  let wanted = true;
  let failures = 0;

  const merge = async (): Promise<void> => {
    const records = await journal.records(mergedUpTo);
    waiting = records.length;
    for (const { seq, payload } of records) {
      if (stop.signal.aborted) return;
      const entry = readJournalEntry(payload);
      const at = { node: deps.config.node, seq, fromJournal: true };
      const taken = entry.kind === 'disclosure' && (await recordDisclosure(deps, entry, at));
      if (taken)
        deps.logger.warn({ seq, alert: 'breakglass' }, 'an emergency disclosure came from the journal');
      mergedUpTo = seq;
      waiting -= 1;
    }
  };

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      if (wanted) {
        wanted = false;
        try {
          await merge();
          failures = 0;
        } catch (error) {
          wanted = true;
          failures += 1;
          if (failures === 1 || failures % 60 === 0)
            deps.logger.error(
              { err: error, failures },
              'the emergency journal could not be merged; it is tried again',
            );
        }
      }
      await new Promise<void>((resolve) => {
        if (stop.signal.aborted) return resolve();
        const timer = wanted ? setTimeout(resolve, EVERY_MS) : undefined;
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const running = loop();

  return {
    wake: () => {
      wanted = true;
      wakeUp?.();
    },
    waiting: () => waiting,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      wakeUp?.();
      await running;
    },
  };
}
