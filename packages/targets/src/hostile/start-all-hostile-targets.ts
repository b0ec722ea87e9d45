import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HostileTarget } from './hostile-target.ts';

/** A hostile target in another thread. */
export type HostileAddress = Pick<HostileTarget, 'type' | 'behaviour' | 'port' | 'settings'>;

/** Starts every hostile target in a thread of its own, so that their floods are not the caller's work. */
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
