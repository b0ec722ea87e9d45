import { type Database, listen } from '@claviger/database';
import type { Logger } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

export const COMMANDS_CHANNEL = 'workflow_device_commands';
const FALLBACK_MS = 5_000;

export interface CommandNotifier extends AsyncDisposable {
  /**
   * Starts to wait for a device. Call it before reading the device's commands, so that a command queued in
   * between is noticed. `notified` resolves to true when there may be a command, to false at the timeout or
   * when this process ends.
   */
  wait(deviceId: string, options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Waiting;
  /** Ends all waits for good: this process ends. */
  stop(): void;
}

export interface Waiting extends Disposable {
  readonly notified: Promise<boolean>;
}

export interface CommandNotifierOptions {
  readonly database: Database<WorkflowSchema>;
  readonly connection: Parameters<typeof listen>[0];
  readonly logger: Logger;
  /** Time between two queries for all waiting devices. They find commands whose notification was lost. */
  readonly fallbackMs?: number;
}

/**
 * Notifies the agents that wait for a command: one connection of the replica listens for notifications of
 * transactions, and one periodic query for all waiting devices finds commands whose notification was lost. A
 * waiting agent causes no query of its own.
 */
export function startCommandNotifier(options: CommandNotifierOptions): CommandNotifier {
  const { database, logger, fallbackMs = FALLBACK_MS } = options;
  const waiting = new Map<string, Set<(notified: boolean) => void>>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let finding = Promise.resolve();

  const notify = (deviceId: string): void => {
    for (const wake of waiting.get(deviceId) ?? []) wake(true);
  };
  const findMissed = async (): Promise<void> => {
    const ids = [...waiting.keys()];
    if (ids.length === 0 || stopped) return;
    try {
      for (const { device_id } of await devicesWithCommands(database, ids)) notify(device_id);
    } catch (error) {
      logger.warn({ err: error }, 'the query for commands of waiting agents failed');
    }
  };
  const schedule = (): void => {
    if (timer || stopped || waiting.size === 0) return;
    timer = setTimeout(() => {
      finding = findMissed().finally(() => {
        timer = undefined;
        schedule();
      });
    }, fallbackMs).unref();
  };
  const listener = listen(options.connection, COMMANDS_CHANNEL, {
    onNotification: notify,
    onConnect: () => {
      finding = finding.then(findMissed);
    },
  });

  return {
    wait: (deviceId, { timeoutMs, signal }) => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const ended = setTimeout(() => resolve(false), timeoutMs);
      const abort = (): void => resolve(false);
      const these = waiting.get(deviceId) ?? new Set();
      these.add(resolve);
      waiting.set(deviceId, these);
      signal.addEventListener('abort', abort, { once: true });
      if (stopped || signal.aborted) resolve(false);
      schedule();
      return {
        notified: promise,
        [Symbol.dispose]: () => {
          clearTimeout(ended);
          signal.removeEventListener('abort', abort);
          these.delete(resolve);
          if (these.size === 0 && waiting.get(deviceId) === these) waiting.delete(deviceId);
          resolve(false);
        },
      };
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      for (const each of waiting.values()) for (const wake of each) wake(false);
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      clearTimeout(timer);
      for (const each of waiting.values()) for (const wake of each) wake(false);
      await listener[Symbol.asyncDispose]();
      await finding;
    },
  };
}

/**
 * The ids are one array, because they can exceed the maximum number of parameters. Commands older than a day
 * are not delivered.
 */
function devicesWithCommands(
  database: Database<WorkflowSchema>,
  deviceIds: readonly string[],
): Promise<{ device_id: string }[]> {
  return database.system((tx) =>
    tx
      .selectFrom('device_commands')
      .select('device_id')
      .distinct()
      .where(sql<boolean>`device_id = ANY(${[...deviceIds]}::uuid[])`)
      .where('outcome', 'is', null)
      .where('queued_at', '>', sql<Date>`now() - interval '1 day'`)
      .execute(),
  );
}
