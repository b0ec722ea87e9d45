import { readFile } from 'node:fs/promises';
import { writeAtomically } from '@claviger/identity';
import type { Layout } from './layout.ts';
import type { Environment } from './services.ts';

/** The state of an installation between two starts. Contains no secrets. */
export interface State {
  readonly environment: Environment;
  /** The folder of the servers' data: relative to the data folder, or an absolute path. */
  readonly partsFolder: string;
  /** Port by name, e.g. `postgres`, `vault-1.grpc`: used again if free. */
  readonly ports: Readonly<Record<string, number>>;
}

export async function readState(layout: Layout): Promise<State | undefined> {
  try {
    return JSON.parse(await readFile(layout.stateFile, 'utf8')) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeState(layout: Layout, state: State): Promise<void> {
  return writeAtomically(layout.stateFile, `${JSON.stringify(state, null, 2)}\n`);
}
