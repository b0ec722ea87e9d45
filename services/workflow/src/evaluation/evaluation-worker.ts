import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ClavigerError } from '@claviger/errors';
import type { Answer, Ask } from './messages.ts';

/** One thread. It receives only data: no connection, no key, no environment. */
export class EvaluationWorker {
  readonly #thread: Worker;
  readonly #asked: PromiseWithResolvers<unknown>[] = [];
  #ended: Error | undefined;

  /** `onExit` is called once, after the thread has exited. */
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

  /** Rejects with the cause if the thread ends before it answers. */
  ask(ask: Ask): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const answered = Promise.withResolvers<unknown>();
    this.#asked.push(answered);
    this.#thread.postMessage(ask);
    return answered.promise;
  }

  /** Terminates the thread at once. Pending answers reject with this error. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { reject } of this.#asked.splice(0)) reject(error);
    void this.#thread.terminate();
  }

  /** Whether the thread keeps the process alive. */
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
    hint: 'Send the request again.',
    cause,
  });
}

function problemOf(error: unknown): Error {
  const { code } = error as { code?: unknown };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new ClavigerError('payload_too_large', 'The evaluation of these rules takes too much memory.', {
      hint: 'Send fewer or shorter drafts, or remove rules.',
      cause: error,
    });
  return error instanceof Error ? error : new Error('The evaluation failed.', { cause: error });
}
