import { sqlState } from '@claviger/database';
import type { ReportAnomaly } from '@claviger/service-kit';
import type { EmergencyDeps } from './deps.ts';
import { type JournalEntry, readJournalEntry } from './journal-entry.ts';
import { recordDisclosure } from './record-disclosure.ts';

const EVERY_MS = 2_000;

export interface JournalMerge extends AsyncDisposable {
  /** Starts a merge. */
  wake(): void;
  /** Why an operator must look at the journal; undefined when no record is quarantined. */
  problem(): string | undefined;
}

/**
 * Merges this replica's journal into the database, each record once, and trims it. Repeats until the database
 * accepts the records. Each replica merges its own journal: no other replica can read it.
 *
 * A record that can never be stored is quarantined: it is reported and stays in the journal, and the later
 * records are merged. The next start tries it again.
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
  // The first merge reads the records of the former process; later merges run after a disclosure that was not
  // recorded.
  let wanted = true;
  let failures = 0;

  const mergeOne = async (seq: number, payload: string): Promise<void> => {
    const entry = decode(payload);
    if (entry === undefined) return quarantine(seq, 'this version does not know its format');
    if (entry.kind !== 'disclosure') return;
    try {
      if (await recordDisclosure(deps, entry, { node, seq, fromJournal: true }))
        deps.logger.warn({ seq, alert: 'breakglass' }, 'an emergency disclosure was merged from the journal');
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
              'the emergency journal could not be merged; the merge is repeated',
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

/**
 * Undefined for a record that another version of the vault or a defect wrote; the hash chain has already been
 * verified.
 */
function decode(payload: string): JournalEntry | undefined {
  try {
    return readJournalEntry(payload);
  } catch {
    return undefined;
  }
}

/**
 * SQLSTATE class 22 (data) or 23 (constraint): a repetition fails in the same way. Other errors are retried.
 */
function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^2[23]/.test(state);
}
