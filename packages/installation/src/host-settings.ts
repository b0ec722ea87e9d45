import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Environment } from './services.ts';

export const repositoryRoot = resolve(import.meta.dirname, '../../..');

/** The program of the command `claviger`, for processes that run a command. */
export const commandProgram = join(repositoryRoot, 'packages/cli/src/main.ts');

/** CLAVIGER_DATA_DIR, else `.claviger` in the clone. */
export function dataDirOf(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env.CLAVIGER_DATA_DIR;
  return chosen === undefined || chosen === '' ? join(repositoryRoot, '.claviger') : resolve(chosen);
}

/** CLAVIGER_ENVIRONMENT, else `development`. */
export function environmentOf(env: NodeJS.ProcessEnv = process.env): Environment {
  const chosen = env.CLAVIGER_ENVIRONMENT ?? 'development';
  if (chosen === 'development' || chosen === 'production' || chosen === 'test') return chosen;
  throw new CommandError(
    `CLAVIGER_ENVIRONMENT is "${chosen}": it must be development, production or test`,
    EXIT.usage,
  );
}

/** CLAVIGER_RATE_LIMITS: on unless it says off. */
export function rateLimitsOf(env: NodeJS.ProcessEnv = process.env): 'on' | 'off' {
  const chosen = env.CLAVIGER_RATE_LIMITS ?? 'on';
  if (chosen === 'on' || chosen === 'off') return chosen;
  throw new CommandError(`CLAVIGER_RATE_LIMITS is "${chosen}": it must be on or off`, EXIT.usage);
}

/** CLAVIGER_OTLP_ENDPOINT: where traces go; undefined for nowhere. */
export async function otlpEndpointOf(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const chosen = env.CLAVIGER_OTLP_ENDPOINT;
  if (chosen === undefined || chosen === '') return undefined;
  const { otlpEndpointProblem } = await import('@claviger/service-kit');
  const problem = otlpEndpointProblem(chosen);
  if (problem === undefined) return chosen;
  throw new CommandError(`CLAVIGER_OTLP_ENDPOINT ${problem}`, EXIT.usage);
}

/** A whole number between `low` and `high`, or a usage error that names the option. */
export function wholeNumber(text: string, option: string, low: number, high: number): number {
  const value = Number(text);
  if (/^\d{1,6}$/.test(text) && value >= low && value <= high) return value;
  throw new CommandError(`${option} must be a whole number from ${low} to ${high}`, EXIT.usage);
}

/** The operator's configuration: the named file, else that of the installation in the data folder. */
export function operatorConfigOf(file: string | undefined): string {
  const chosen = file ?? join(dataDirOf(), 'config', 'operator.json');
  if (!existsSync(chosen))
    throw new CommandError(
      `${chosen} is missing: start with \`claviger up\`, or name a file with --operator-config`,
    );
  return chosen;
}
