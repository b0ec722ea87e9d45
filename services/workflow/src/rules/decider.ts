import type { Evaluation, Facts } from '@claviger/evaluator';

/** What the evaluator answered, with all that is needed to explain and to repeat it. */
export interface Decided {
  readonly facts: Facts;
  readonly evaluation: Evaluation;
}

export interface Decider {
  /**
   * Decides by the rules in force, all of one version. Never throws and never waits long: where rules or lists cannot be
   * read, or an evaluator throws or hangs, the verdict is `pending` because it `failed`.
   */
  decide(tenantId: string, facts: Facts): Promise<Decided>;
}
