import { timingSafeEqual } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { combineShares, keyCheckOf, type RootKeyProvider, shamirProvider } from '@claviger/keyring';

/** The part of a share for one service. */
export interface SharePart {
  readonly index: number;
  readonly threshold: number;
  /** Fingerprint of the root key that the shares form. */
  readonly keyCheck: string;
  readonly data: Buffer;
}

/** The shares submitted since the last attempt. Kept in memory, for at most an hour after the last one. */
export interface ShareCollection {
  readonly given: number;
  readonly needed: number;
  readonly complete: boolean;
  /**
   * Takes ownership of the data. Submitting a share again changes nothing. Throws `invalid` for a share that
   * does not belong to the others.
   */
  add(part: SharePart): void;
  /** The root key that the shares form; undefined when its fingerprint is wrong. Keeps the shares. */
  combine(): RootKeyProvider | undefined;
  discard(): void;
}

const FORGET_AFTER_MS = 60 * 60 * 1000;

export function createShareCollection(): ShareCollection {
  const parts = new Map<number, SharePart>();
  let timer: NodeJS.Timeout | undefined;
  const first = () => parts.values().next().value;
  const discard = (): void => {
    clearTimeout(timer);
    for (const { data } of parts.values()) data.fill(0);
    parts.clear();
  };
  return {
    get given() {
      return parts.size;
    },
    get needed() {
      return first()?.threshold ?? 0;
    },
    get complete() {
      return parts.size > 0 && parts.size >= first()!.threshold;
    },
    add: (part) => {
      const before = first();
      if (before && (before.threshold !== part.threshold || before.keyCheck !== part.keyCheck))
        throw new ClavigerError(
          'invalid',
          'This share belongs to another root key than the previous shares.',
          {
            code: 'share_of_another_key',
            hint: 'Submit a share of the same set, or start over with `claviger unseal --cancel`.',
          },
        );
      const same = parts.get(part.index);
      if (same && !timingSafeEqual(same.data, part.data))
        throw new ClavigerError(
          'invalid',
          `A different share with the number ${part.index} was already submitted.`,
          {
            code: 'share_given_twice',
            hint: 'One of the two is wrong: start over with `claviger unseal --cancel`.',
          },
        );
      clearTimeout(timer);
      timer = setTimeout(discard, FORGET_AFTER_MS).unref();
      if (!same) parts.set(part.index, part);
    },
    combine: () => {
      const secret = combineShares([...parts.values()].slice(0, first()!.threshold));
      const matches = keyCheckOf(secret) === first()!.keyCheck;
      if (matches) return shamirProvider(secret);
      secret.fill(0);
      return undefined;
    },
    discard,
  };
}
