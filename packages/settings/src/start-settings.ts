import { setTimeout as pause } from 'node:timers/promises';
import * as settings from '@claviger/contracts/auth/v1/settings';
import * as updates from '@claviger/contracts/auth/v1/updates';
import { alignDelay, type BaseConfig, createPeers, type Logger, productVersion } from '@claviger/service-kit';
import type { SectionName } from './sections.ts';
import { createReader, type SettingsReader, type SettingsSource } from './settings-reader.ts';

const TICK_MS = 5_000;
/** Every fourth tick: auth considers a replica gone after a minute of silence. */
const TICKS_PER_REPORT = 4;
const TIMEOUT_MS = 3_000;
/** How long a stop waits to tell auth; without that, auth considers the replica gone after a minute. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface SettingsConnection<N extends SectionName> extends SettingsReader<N>, AsyncDisposable {}

export interface StartSettingsOptions<N extends SectionName> {
  readonly config: BaseConfig;
  readonly logger: Logger;
  /** Sections that list this service; auth refuses others. */
  readonly sections: readonly N[];
}

/**
 * A service's connection to its settings: reads its sections, applies the platform's log level, and reports
 * this replica with version and start time to auth. An outage of auth blocks nothing.
 */
export function startSettings<N extends SectionName>(
  options: StartSettingsOptions<N>,
): SettingsConnection<N> {
  const { config, logger } = options;
  const peers = createPeers(config);
  // Created on demand: without an auth peer in the configuration, a service runs with the defaults.
  const client = () => peers.client('auth', settings.SettingsService);
  const source: SettingsSource = async ({ tenantId, sections, knownVersion }) => {
    const answer = await client().readSettings(
      { sections: [...sections], knownVersion },
      { tenantId: tenantId || undefined, timeoutMs: TIMEOUT_MS },
    );
    return { version: answer.version, values: answer.unchanged ? undefined : (answer.values ?? {}) };
  };
  const reader = createReader({ source, sections: options.sections, logger });
  const replica = startReplica(options, source, async (ending) =>
    peers.client('auth', updates.ReplicasService).reportReplica(
      {
        node: config.node,
        version: productVersion,
        runningMs: Math.round(process.uptime() * 1_000),
        ending,
      },
      { timeoutMs: TIMEOUT_MS },
    ),
  );
  return {
    read: (tenantId, age) => reader.read(tenantId, age),
    [Symbol.asyncDispose]: async () => {
      await replica[Symbol.asyncDispose]();
      peers.close();
    },
  };
}

/** Applies the platform's log level, and calls `report` at the start, regularly, and at the end. */
export function startReplica(
  { config, logger }: Pick<StartSettingsOptions<never>, 'config' | 'logger'>,
  source: SettingsSource,
  report: (ending: boolean) => Promise<unknown>,
): AsyncDisposable {
  const logging = createReader({ source, sections: ['logging'], logger });
  let untilReport = 0;
  const tick = async (): Promise<void> => {
    const { level } = (await logging.read('')).values.logging;
    logger.level = level === 'configured' ? config.logLevel : level;
    untilReport -= 1;
    if (untilReport > 0) return;
    await report(false);
    untilReport = TICKS_PER_REPORT;
  };
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running = Promise.resolve();
  const next = (): void => {
    if (stopped) return;
    running = tick()
      // Callers that need auth report the problem; this is tried again.
      .catch((error: unknown) => logger.debug({ err: error }, 'cannot report this replica to auth'))
      .then(() => {
        if (!stopped) timer = setTimeout(next, alignDelay(TICK_MS)).unref();
      });
  };
  next();
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      clearTimeout(timer);
      const reported = running
        .then(() => report(true))
        .catch((error: unknown) =>
          logger.debug({ err: error }, 'cannot report the end of this replica to auth'),
        );
      await Promise.race([reported, pause(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
