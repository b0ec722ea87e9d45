import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HostileTarget } from './hostile-target.ts';

/** A hostile target in another thread. */
export type HostileAddress = Pick<HostileTarget, 'type' | 'behaviour' | 'port' | 'settings'>;

/** Starts every hostile target in a separate thread, so that their load does not affect the caller. */
export async function startAllHostileTargets(): Promise<
  { readonly targets: readonly HostileAddress[] } & AsyncDisposable
> {
  const thread = new Worker(join(import.meta.dirname, 'hostile-thread.ts'));
  const [targets] = (await once(thread, 'message')) as [HostileAddress[]];
  return {
    targets,
    async [Symbol.asyncDispose]() {
      await thread.terminate();
    },
  };
}
