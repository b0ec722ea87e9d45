import type { Explanation } from './explanation.ts';

/** Codes of the rules that decide elevations. */
export const ruleExplanations: Readonly<Record<string, Explanation>> = {
  own_rule: {
    meaning:
      'You wrote a part of this rule, or a token of yours did: your signature would be no second person.',
    next: 'Ask somebody who has not written any of it: `claviger rules co-sign RULE`. Every change takes the signatures away.',
  },
  rule_limit: {
    meaning:
      'There are ten thousand rules or entries of known software already, as many as a tenant may have.',
    next: 'Delete what is never reached: `claviger rules lint` names it.',
  },
};
