import type { Explanation } from './explanation.ts';

const VENDOR = 'Ask whoever sold the licence. Nothing stops working in the meantime.';

/** Codes of settings and licences. */
export const administrationExplanations: Readonly<Record<string, Explanation>> = {
  too_many_costly: {
    meaning: 'Twenty costly operations of the tenant (replays, exports, searches) wait already.',
    next: 'Wait for those that run; they run one after the other.',
  },
  too_many_api_tokens: {
    meaning: 'The user has a hundred live API tokens already.',
    next: 'Revoke those that are not used any more: `claviger tokens list`, `claviger tokens revoke ID`.',
  },
  license_too_large: { meaning: 'A licence has at most 8 KB; this is larger.', next: VENDOR },
  license_malformed: {
    meaning: 'The text is no licence of this product.',
    next: 'Give the whole text as the vendor sent it, without line breaks.',
  },
  license_unsigned: {
    meaning: 'The licence is not signed, so that anybody could have written it.',
    next: VENDOR,
  },
  license_unknown_key: {
    meaning: 'The licence is signed with a key that this installation does not know.',
    next: 'Ask the vendor for the public key and add it to the setting `licence.publicKeys`.',
  },
  license_signature_invalid: {
    meaning: 'The licence was altered, or is not signed by whom it names.',
    next: VENDOR,
  },
  license_other_installation: {
    meaning: 'The licence names another installation.',
    next: 'Tell the vendor the installation id that `claviger licence show` prints.',
  },
  license_not_yet_valid: {
    meaning: 'The licence begins later.',
    next: 'Apply it then; check the clock of the database server if it should have begun.',
  },
  license_expired: { meaning: 'The licence has ended.', next: VENDOR },
  license_limit_reached: {
    meaning: 'The licence in force refuses to go beyond its limits, and one of them is reached.',
    next: 'Delete what is not needed any more, or apply a licence with a higher limit. `claviger licence show` counts.',
  },
};
