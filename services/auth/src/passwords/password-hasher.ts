import { randomBytes } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { opaqueString } from './password-rules.ts';

export interface PasswordHasher {
  /** Returns a PHC string of argon2id. Throws `unavailable` if the queue is full. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password matches. Without a stored hash it verifies a dummy hash, so that the time does not
   * reveal whether the user exists.
   */
  verify(phc: string | undefined, password: string): Promise<boolean>;
  /** Whether the hash was computed with parameters other than the current ones. */
  isOutdated(phc: string): boolean;
}

export interface HasherOptions {
  readonly memoryKib: number;
  readonly passes: number;
  readonly concurrency: number;
  readonly waiting: number;
  readonly pepper: Buffer;
}

export async function createPasswordHasher(options: HasherOptions): Promise<PasswordHasher> {
  const { memoryKib, passes, pepper } = options;
  const parameters = {
    memoryCost: memoryKib,
    timeCost: passes,
    parallelism: 1,
    outputLen: 32,
    secret: pepper,
  };
  const limited = limiter(options.concurrency, options.waiting);
  const dummy = await hash(randomBytes(32), parameters);
  return {
    hash: (password) => limited(() => hash(opaqueString(password), parameters)),
    verify: (phc, password) =>
      limited(async () => {
        const matches = await verify(phc ?? dummy, opaqueString(password), { secret: pepper });
        return phc !== undefined && matches;
      }),
    isOutdated: (phc) => {
      const made = parseOptions(phc);
      return made.memoryCost !== memoryKib || made.timeCost !== passes || made.parallelism !== 1;
    },
  };
}

/** Runs at most `concurrency` at once and queues at most `waiting`; beyond that it throws `unavailable`. */
function limiter(concurrency: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const line: (() => void)[] = [];
  return async (work) => {
    if (running < concurrency) running += 1;
    else if (line.length < waiting) await new Promise<void>((resolve) => line.push(resolve));
    else {
      throw new ClavigerError('unavailable', 'Too many sign-ins are in progress.', {
        code: 'sign_in_busy',
        retryAfterSeconds: 1,
        hint: 'Try again in a second.',
      });
    }
    try {
      return await work();
    } finally {
      // Hand the slot to the next waiter directly, so that no new caller can take it.
      const next = line.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
