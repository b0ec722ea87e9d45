import type { Anomaly, ReportAnomaly } from './anomaly.ts';
import type { Logger } from './logger.ts';

/** Observations of one alert and subject that are not stored yet. */
export interface CountedAnomaly extends Anomaly {
  readonly count: number;
}

export interface AnomalyReporter extends AsyncDisposable {
  readonly report: ReportAnomaly;
}

/** Further observations within this time are counted in the next log line. */
const LOG_EVERY_MS = 10 * 60_000;
/**
 * An attacker can choose subjects, e.g. a certificate for each attempt. Excess ones are counted under one
 * subject.
 */
const MAX_SUBJECTS = 200;
const MAX_TEXT = 300;
const GATHER_MS = 100;
const MAX_PAUSE_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** Replaces the subjects beyond the limit. */
const OTHERS = 'others';

/**
 * Logs each anomaly at once and passes counted ones to `store` until it succeeds. While the database is
 * unavailable they stay in memory, up to a limit.
 */
export function createAnomalyReporter(options: {
  readonly logger: Logger;
  readonly store: (anomalies: readonly CountedAnomaly[]) => Promise<void>;
}): AnomalyReporter {
  const { logger, store } = options;
  const logged = new Map<string, { at: number; since: number }>();
  let waiting = new Map<string, CountedAnomaly>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let failures = 0;
  let closed = false;

  const log = (key: string, { alert, subject, tenantId, details }: Anomaly): void => {
    const now = performance.now();
    const last = logged.get(key);
    if (last && now - last.at < LOG_EVERY_MS) {
      last.since += 1;
      return;
    }
    if (!last && logged.size >= MAX_SUBJECTS) logged.delete(logged.keys().next().value!);
    logged.set(key, { at: now, since: 0 });
    const count = 1 + (last?.since ?? 0);
    logger.error({ alert, subject, tenantId, details, count }, 'anomaly; see docs/operations.md');
  };

  const storeWaiting = async (): Promise<void> => {
    if (waiting.size === 0) return;
    const batch = waiting;
    waiting = new Map();
    try {
      await store([...batch.values()]);
      failures = 0;
    } catch (error) {
      failures += 1;
      for (const anomaly of batch.values()) keep(anomaly);
      if (failures === 1)
        logger.warn({ err: error }, 'cannot store anomalies; they stay in memory until it succeeds');
    }
  };

  const schedule = (): void => {
    if (timer || running || closed || waiting.size === 0) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        running = storeWaiting().finally(() => {
          running = undefined;
          schedule();
        });
      },
      failures === 0 ? GATHER_MS : Math.min(MAX_PAUSE_MS, 500 * 2 ** Math.min(failures, 6)),
    ).unref();
  };

  const keep = (anomaly: CountedAnomaly): void => {
    let key = keyOf(anomaly);
    let known = waiting.get(key);
    let kept = anomaly;
    if (!known && waiting.size >= MAX_SUBJECTS) {
      kept = { ...anomaly, subject: { type: anomaly.subject.type, id: OTHERS }, details: {} };
      key = keyOf(kept);
      known = waiting.get(key);
    }
    waiting.set(key, { ...kept, count: kept.count + (known?.count ?? 0) });
  };

  return {
    report: (anomaly) => {
      const clean = cleaned(anomaly);
      log(keyOf(clean), clean);
      keep({ ...clean, count: 1 });
      schedule();
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      clearTimeout(timer);
      const rest = (running ?? Promise.resolve()).then(storeWaiting);
      await Promise.race([rest, new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref())]);
    },
  };
}

function keyOf({ alert, subject, tenantId }: Anomaly): string {
  return JSON.stringify([alert, subject.type, subject.id, tenantId]);
}

function cleaned(anomaly: Anomaly): Anomaly {
  return {
    ...anomaly,
    subject: { type: anomaly.subject.type, id: text(anomaly.subject.id) },
    details: Object.fromEntries(
      Object.entries(anomaly.details).map(([name, value]) => [
        name,
        typeof value === 'string' ? text(value) : value,
      ]),
    ),
  };
}

/** Replaces characters that a log line or a database column cannot hold, and cuts the text. */
function text(value: string): string {
  return value
    .slice(0, MAX_TEXT)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '\ufffd');
}
