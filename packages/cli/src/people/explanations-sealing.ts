import type { Explanation } from './explanation.ts';

/** Codes of root keys, shares and the seal. */
export const sealingExplanations: Readonly<Record<string, Explanation>> = {
  root_key_unreachable: {
    meaning:
      'The provider of the root key (token, cloud, mounted secret) does not answer. Keys in use go on for a quarter of an hour at most.',
    next: 'It works again by itself as soon as the provider does. `claviger unseal --json` and the log of the service tell what it says.',
  },
  wrong_shares: {
    meaning:
      'The shares that were given do not make the root key of this database: at least one is wrong. All were discarded.',
    next: 'Give them again from the first with `claviger unseal`, with another one among them.',
  },
  share_of_another_key: {
    meaning: 'The share belongs to another set than those that were given before it.',
    next: 'Give one of the same set, or start over with `claviger unseal --cancel`.',
  },
  share_given_twice: {
    meaning: 'Two different shares carry the same number: one of them is wrong.',
    next: 'Start over with `claviger unseal --cancel`.',
  },
  not_by_shares: {
    meaning: 'The root key of this service comes from its provider, not from people.',
    next: '`claviger unseal` without a share lets it ask its provider again.',
  },
  shares_needed: {
    meaning: 'The root key of this service is in shares: only those who hold them can open it.',
    next: 'Give the shares with `claviger unseal`.',
  },
  not_initialised: {
    meaning: 'The database of this service has no root key yet.',
    next: '`claviger unseal --init` makes one; with `--from-shares` it takes the one of the shares that you have.',
  },
  sealed_again: {
    meaning: 'Somebody sealed the service while the last share was being checked.',
    next: 'Ask who did and why; then give the shares again.',
  },
};
