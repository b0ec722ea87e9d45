import type { Coverage } from './who-can-approve.ts';

export type FindingCode =
  /** Cannot be parsed; while it exists, the rules decide nothing. */
  | 'invalid_rule'
  /** An earlier rule with another verdict matches everything that this one would match. */
  | 'shadowed'
  /** The same with the same verdict: the rule can be removed. */
  | 'redundant'
  /** No request can reach it. */
  | 'unreachable'
  | 'window_never_matches'
  /** A clock change skips the whole window on some day. */
  | 'window_skipped'
  /** The rule could approve one of its authors. */
  | 'author_benefits'
  /** Approves everything that a person, a group or a site requests, prompts and tools alike. */
  | 'approves_everything'
  /** Its text can be confused with another one. */
  | 'look_alike'
  /** Too many rules have the same criteria to compare all of them. */
  | 'not_all_examined'
  /** Only an author of the access policy could approve under it. */
  | 'author_alone_approves'
  /** Every possible approver is an account whose password another user has set. */
  | 'approvers_not_handed_over'
  /** A user relaxed an access policy and has requested access under it since. */
  | 'author_lowered'
  /** Too few users could ever approve. */
  | 'nobody_can_approve'
  /** Too few users could approve now. */
  | 'nobody_can_approve_now'
  /** Exactly as many approvers exist as are required. */
  | 'no_reserve';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'error' | 'warning' | 'note';
  /** Null if it concerns requests that no rule decides, or a single request. */
  readonly ruleId: string | null;
  readonly requestId?: string;
  /** The rules before it, or related to the finding. */
  readonly otherRuleIds?: readonly string[];
  readonly userIds?: readonly string[];
  /** Who could approve, and when enough of them can. */
  readonly approval?: Coverage & { readonly step: string };
  readonly message: string;
}
