import { sqlState } from '@claviger/database';
import type { ReportAnomaly } from '@claviger/service-kit';
import type { EmergencyDeps } from './deps.ts';
import { type JournalEntry, readJournalEntry } from './journal-entry.ts';
import { recordDisclosure } from './record-disclosure.ts';

const EVERY_MS = 2_000;

export interface JournalMerge extends AsyncDisposable {
  /** Looks soon. */
  wake(): void;
  /** Why an operator is to look at the journal; undefined while every record was merged or can be. */
  problem(): string | undefined;
}

/**
 * Stores what this replica's journal holds in the database, each record once, and trims the journal. It tries again until the
 * database takes the records. Every replica merges its own journal: no other one can read it.
 *
 * A record that can never be stored is quarantined: it is reported, it stays in the journal, and the records after it are
 * merged. The next start tries it again.
 */
export function startJournalMerge(
  deps: Pick<EmergencyDeps, 'config' | 'database' | 'logger' | 'journal'> & {
    readonly reportAnomaly: ReportAnomaly;
  },
): JournalMerge {
  const stop = new AbortController();
  const { journal, reportAnomaly } = deps;
  const { node, emergencyJournalFile: file } = deps.config;
  let mergedUpTo = 0;
  let quarantined = 0;
  let firstQuarantined: number | undefined;
  let wakeUp: (() => void) | undefined;
  // What the former process left is looked at once; afterwards only what a disclosure could not record.
  let wanted = true;
  let failures = 0;

  const mergeOne = async (seq: number, payload: string): Promise<void> => {
    const entry = decode(payload);
    if (entry === undefined) return quarantine(seq, 'it is not in a form that this version knows');
    if (entry.kind !== 'disclosure') return;
    try {
      if (await recordDisclosure(deps, entry, { node, seq, fromJournal: true }))
        deps.logger.warn({ seq, alert: 'breakglass' }, 'an emergency disclosure came from the journal');
    } catch (error) {
      if (!isRefusal(error)) throw error;
      quarantine(seq, 'the database refuses it', error);
    }
  };

  const quarantine = (seq: number, why: string, error?: unknown): void => {
    quarantined += 1;
    firstQuarantined ??= seq;
    const alert = 'journal_record_quarantined';
    deps.logger.error(
      { alert, file, seq, why, err: error },
      'a record of the emergency journal is not merged',
    );
    reportAnomaly({ alert, subject: { type: 'journal', id: node }, details: { seq, why } });
  };

  const merge = async (): Promise<void> => {
    for (const { seq, payload } of await journal.records(mergedUpTo)) {
      if (stop.signal.aborted) return;
      await mergeOne(seq, payload);
      mergedUpTo = seq;
    }
    await journal.trim(firstQuarantined === undefined ? mergedUpTo : firstQuarantined - 1);
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
    problem: () =>
      firstQuarantined === undefined
        ? undefined
        : `${quarantined} records of ${file} are not merged, the first is ${firstQuarantined}: see the alert journal_record_quarantined in the log`,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      wakeUp?.();
      await running;
    },
  };
}

/** Undefined for what this version does not write: its chain is whole, so that an other version or a defect wrote it. */
function decode(payload: string): JournalEntry | undefined {
  try {
    return readJournalEntry(payload);
  } catch {
    return undefined;
  }
}

/** 22 data that no column takes, 23 a constraint: the same record is refused again. Everything else is tried again. */
function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^2[23]/.test(state);
}
