import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { loadConfig } from './config.ts';
import { refuseEnvironment } from './refuse-environment.ts';

/**
 * A running service. Disposing it drains calls, closes workers, flushes telemetry and closes connections, in
 * this order.
 */
export interface RunningService extends AsyncDisposable {
  /** Rejects when the service cannot continue. */
  readonly failed?: Promise<never>;
}

export interface ServiceProgram<C> {
  readonly name: string;
  readonly schema: z.ZodType<C>;
  readonly create: (config: C) => Promise<RunningService>;
  /** Migrates the service's schema to this version; absent for a service without state. */
  readonly migrate?: (config: C) => Promise<void>;
}

/** Runs a service's main.ts: `main.ts [migrate] --config FILE`. */
export async function runService<C>(program: ServiceProgram<C>): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { config: { type: 'string' } },
    allowPositionals: true,
  });
  try {
    refuseEnvironment();
    if (!values.config) throw new Error(`Usage: ${program.name} [migrate] --config FILE`);
    const config = loadConfig(program.schema, values.config);
    if (positionals[0] === 'migrate') {
      await program.migrate?.(config);
      return;
    }
    // The first signal lets the start finish and then stops in order; a second one ends the process at once.
    const signalled = signal();
    const service = await program.create(config);
    await (service.failed ? Promise.race([signalled, service.failed]) : signalled);
    await service[Symbol.asyncDispose]();
    // Everything is closed. Handles that a library still holds must not keep the process alive.
    setTimeout(() => process.exit(), 500).unref();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
    // A pending connection may keep the event loop alive after a failed start.
    setTimeout(() => process.exit(1), 500).unref();
  }
}

function signal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}
