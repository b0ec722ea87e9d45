import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ClavigerError } from '@claviger/errors';
import type { Answer, Ask } from './messages.ts';

/** One thread. It is given data only: no connection, no key, no environment. */
export class EvaluationWorker {
  readonly #thread: Worker;
  readonly #asked: PromiseWithResolvers<unknown>[] = [];
  #ended: Error | undefined;

  /** `onExit` is called once, when the thread is gone. */
  constructor(memoryMb: number, onExit: (worker: EvaluationWorker) => void) {
    this.#thread = new Worker(join(import.meta.dirname, 'evaluation-thread.ts'), {
      name: 'evaluation',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    this.#thread.on('message', (answer: Answer) => this.#take(answer));
    this.#thread.on('error', (error) => this.end(problemOf(error)));
    this.#thread.on('messageerror', (error) => this.end(error));
    this.#thread.on('exit', () => {
      this.end(interrupted());
      onExit(this);
    });
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Rejects with what ended the thread, when it ends before it answers. */
  ask(ask: Ask): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const answered = Promise.withResolvers<unknown>();
    this.#asked.push(answered);
    this.#thread.postMessage(ask);
    return answered.promise;
  }

  /** Ends the thread at once, whatever it does. Each answer that is still open is this error. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { reject } of this.#asked.splice(0)) reject(error);
    void this.#thread.terminate();
  }

  /** Whether the process stays alive for it. */
  keepAlive(isBusy: boolean): void {
    if (isBusy) this.#thread.ref();
    else this.#thread.unref();
  }

  #take(answer: Answer): void {
    const asked = this.#asked.shift();
    if (answer.ok) asked?.resolve(answer.value);
    else asked?.reject(new Error(`The evaluation failed: ${answer.problem}`));
  }
}

export function interrupted(cause?: unknown): ClavigerError {
  return new ClavigerError('unavailable', 'The evaluation of the rules was interrupted.', {
    retryAfterSeconds: 1,
    hint: 'Ask again.',
    cause,
  });
}

function problemOf(error: unknown): Error {
  const { code } = error as { code?: unknown };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new ClavigerError('payload_too_large', 'The evaluation of these rules takes too much memory.', {
      hint: 'Ask with fewer or shorter drafts, or remove rules.',
      cause: error,
    });
  return error instanceof Error ? error : new Error('The evaluation failed.', { cause: error });
}
