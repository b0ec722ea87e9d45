import type { TimeWindow } from './time-window.ts';

export type RuleVerdict = 'auto_approve' | 'auto_deny' | 'require_approval' | 'ignore';

/** The criteria of a rule. Null or absent: no criterion. All of them must match. */
export interface Criteria {
  /** Matches requests of this site only. */
  readonly siteId?: string | null;
  /** The signer, compared exactly. */
  readonly matchSigner?: string | null;
  /** SHA-256, hexadecimal, either case. */
  readonly matchHash?: string | null;
  /** `*` and `?` over the canonical path, case-insensitive; `*` also crosses folders. */
  readonly matchPathGlob?: string | null;
  /** The parent process: a full path, or only a file name. */
  readonly matchParentImage?: string | null;
  /** The whole user name, case-insensitive. */
  readonly matchUser?: string | null;
  /** One of the groups of the user, case-insensitive. */
  readonly matchAdGroup?: string | null;
  readonly matchToolName?: string | null;
  /** 0 to 4. */
  readonly matchRiskTier?: number | null;
  /** The requested resource; `*` for any and for none. */
  readonly matchResourceId?: string | null;
  readonly timeWindow?: TimeWindow | null;
}

/** A rule as users write it and as the API carries it. */
export interface RuleFields extends Criteria {
  readonly name: string;
  readonly verdict: RuleVerdict;
  /** Lower runs first. Default 100. */
  readonly priority?: number;
  /** Default true. */
  readonly enabled?: boolean;
  /** 1 to 1440; null: the default of the tenant. */
  readonly approvalDurationMinutes?: number | null;
  /** Limits of a request for access, and its approvers. Only in rules for resources. */
  readonly access?: AccessTerms | null;
}

/** A stored rule. */
export interface Rule extends RuleFields {
  readonly id: string;
  /** All authors of any part of the present rule. They cannot gain from it alone. */
  readonly authorIds: readonly string[];
  /** Users who agreed to the present rule without having written it. */
  readonly coSignerIds?: readonly string[];
}

export interface ApprovalStep {
  readonly name: string;
  /** The number of different people who must approve. */
  readonly quorum: number;
  /** Any approver if both lists are empty. */
  readonly approverUserIds: readonly string[];
  readonly approverRoles: readonly string[];
}

export interface AccessTerms {
  /** In order. Empty: no approval is required. */
  readonly steps: readonly ApprovalStep[];
  readonly maxDurationMinutes: number;
  readonly requiresReason: boolean;
  readonly oneTime: boolean;
  readonly rotateOnEnd: boolean;
  readonly requestTtlMinutes: number;
}

/**
 * An entry of the lists of known software, which allows or denies before any rule. It has at least one of the
 * three criteria.
 */
export interface SoftwareEntry {
  readonly id: string;
  readonly name: string;
  readonly list: 'allow' | 'deny';
  readonly enabled?: boolean;
  readonly siteId?: string | null;
  readonly matchHash?: string | null;
  readonly matchSigner?: string | null;
  readonly matchPathGlob?: string | null;
  readonly authorIds: readonly string[];
  readonly coSignerIds?: readonly string[];
}

export const DEFAULT_PRIORITY = 100;

export type Shape = 'executable' | 'tool' | 'access' | 'any';

/**
 * The kind of request that a rule applies to. `any`: the rule has criteria about people or sites only, and
 * applies to prompts and tools.
 */
export function shapeOf(criteria: Criteria): Shape {
  if (given(criteria.matchResourceId)) return 'access';
  if (given(criteria.matchToolName) || given(criteria.matchRiskTier)) return 'tool';
  const executable = [
    criteria.matchSigner,
    criteria.matchHash,
    criteria.matchPathGlob,
    criteria.matchParentImage,
  ];
  return executable.some(given) ? 'executable' : 'any';
}

export function given<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
