import type { Coverage } from './who-can-approve.ts';

export type FindingCode =
  /** Cannot be read; while it is there nothing is decided by rules. */
  | 'invalid_rule'
  /** An earlier rule with another verdict takes everything this one would match. */
  | 'shadowed'
  /** The same, with the same verdict: it could go. */
  | 'redundant'
  /** No request can ever reach it. */
  | 'unreachable'
  | 'window_never_matches'
  /** A change of the clock skips the whole window on some day. */
  | 'window_skipped'
  /** Somebody who wrote the rule could be approved by it. */
  | 'author_benefits'
  /** Approves whatever a person, a group or a site asks for, prompts and tools alike. */
  | 'approves_everything'
  /** A text of it could be read as another one. */
  | 'look_alike'
  /** So many rules ask for the same that not all were compared. */
  | 'not_all_examined'
  /** Nobody but who wrote a policy of access could approve under it. */
  | 'author_alone_approves'
  /** All who could approve are accounts whose passwords somebody else has set. */
  | 'approvers_not_handed_over'
  /** Somebody made a policy of access ask for less, and has asked for access under it since. */
  | 'author_lowered'
  /** Nobody, or too few, could ever approve. */
  | 'nobody_can_approve'
  /** Too few could approve now. */
  | 'nobody_can_approve_now'
  /** All depends on as many people as are needed. */
  | 'no_reserve';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'error' | 'warning' | 'note';
  /** Null when it is about requests that no rule decides, or about one request. */
  readonly ruleId: string | null;
  readonly requestId?: string;
  /** The rules that are in front of it, or what belongs to the finding. */
  readonly otherRuleIds?: readonly string[];
  readonly userIds?: readonly string[];
  /** Who could approve, and when enough of them can. */
  readonly approval?: Coverage & { readonly step: string };
  readonly message: string;
}
